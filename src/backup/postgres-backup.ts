import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { DatabaseConfig } from '../config/database.js';
import { readCredentials } from '../config/urls.js';
import { BackupError, type BackupResult, createBackupFile } from './backup-file.js';

/**
 * Backs up a PostgreSQL database with `pg_dump`, and checks that `pg_restore` can read the whole archive.
 *
 * @param file the path of the backup
 * @throws BackupError if a program is not installed or fails
 */
export async function backUpPostgres(
  database: DatabaseConfig & { kind: 'postgres' },
  file: string,
): Promise<BackupResult> {
  const url = new URL(database.url);
  const { password } = readCredentials('DATABASE_URL', url);
  // The password goes into the environment, because other users of the machine can see the arguments of a program.
  url.password = '';
  // URLSearchParams would encode a space as `+`, which libpq does not decode.
  const tls = Object.entries(database.libpq).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  url.search = [url.search.slice(1), ...tls].filter(Boolean).join('&');
  const backup = await createBackupFile(file, async (archive) => {
    const arguments_ = ['--format=custom', '--no-password', `--file=${archive}`, `--dbname=${url.href}`];
    await run('pg_dump', arguments_, password === undefined ? {} : { PGPASSWORD: password });
    await run('pg_restore', ['--file=/dev/null', archive]);
  });
  return { ...backup, source: `PostgreSQL at ${url.host}${url.pathname}` };
}

/** Runs a PostgreSQL client program. It prints its own errors. @throws BackupError if it is not installed or fails */
async function run(program: string, arguments_: string[], environment: Record<string, string> = {}) {
  const child = spawn(program, arguments_, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await once(child, 'close').then(
    ([exitCode]) => exitCode as number | null,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      throw new BackupError(
        `A backup of PostgreSQL needs ${program}, which is not installed here: Debian has it in postgresql-client.`,
      );
    },
  );
  if (code !== 0) throw new BackupError(`${program} failed (exit code ${code}): no backup was made.`);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { DatabaseConfig } from '../config/database.js';
import { credentialsOf } from '../config/urls.js';
import { BackupError, type BackupResult, createBackupFile } from './backup-file.js';

/**
 * Has `pg_dump` write an archive, and `pg_restore` read all of it once.
 *
 * @throws BackupError
 */
export async function backUpPostgres(
  database: DatabaseConfig & { kind: 'postgres' },
  file: string,
): Promise<BackupResult> {
  const url = new URL(database.url);
  const { password } = credentialsOf('DATABASE_URL', url);
  // Other users of the machine see a program's arguments, but not its environment.
  url.password = '';
  // Not by URLSearchParams, whose `+` for a space libpq does not read.
  const tls = Object.entries(database.libpq).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  url.search = [url.search.slice(1), ...tls].filter(Boolean).join('&');
  const made = await createBackupFile(file, async (archive) => {
    const arguments_ = ['--format=custom', '--no-password', `--file=${archive}`, `--dbname=${url.href}`];
    await run('pg_dump', arguments_, password === undefined ? {} : { PGPASSWORD: password });
    await run('pg_restore', ['--file=/dev/null', archive]);
  });
  return { ...made, source: `PostgreSQL at ${url.host}${url.pathname}` };
}

/** Runs a program of PostgreSQL's client package, which says itself what is wrong. */
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

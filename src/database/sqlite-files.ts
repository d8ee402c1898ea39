import { accessSync, chmodSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../errors/config-error.js';

/** Phone numbers and what is known of people: nothing for other users of the machine. */
const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/**
 * The folder of the default `DATABASE_URL`, which is ours alone. A folder that the operator chose may hold other
 * things.
 */
const DEFAULT_FOLDER = 'data';

/** What SQLite, and our migrations, put beside the main file. */
const SUFFIXES = ['', '-wal', '-shm', '-journal', '-migration-lock', '-migration-lock-journal'];

/**
 * Creates the folder and the main file of a SQLite database where they are missing, for their owner only, and takes the
 * permissions of others away from the files that are there. SQLite gives the files that it creates later the main
 * file's mode.
 * @throws ConfigError when the file can neither be opened nor created
 */
export function secureSqliteFiles(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
    createForOwner(path);
  } catch (error) {
    throw new ConfigError(`DATABASE_URL must name a file that can be written: ${(error as Error).message}.`);
  }
  if (folder === resolve(DEFAULT_FOLDER)) restrict(folder, OWNER_ONLY_FOLDER);
  for (const suffix of SUFFIXES) {
    if (existsSync(path + suffix)) restrict(path + suffix, OWNER_ONLY_FILE);
  }
}

/** The file that a process locks while it migrates, created for its owner only. */
export function migrationLockOf(path: string): string {
  const lock = `${path}-migration-lock`;
  createForOwner(lock);
  return lock;
}

/**
 * A file that is there is never opened: to close it would drop all locks that this process holds on it through SQLite.
 * Another program that reads the database would then believe to be its only user, and delete the `-wal` file with
 * commits that are nowhere else. Source: https://www.sqlite.org/howtocorrupt.html, "Posix advisory locks canceled by a
 * separate thread doing close()".
 */
function createForOwner(path: string): void {
  try {
    closeSync(openSync(path, 'wx', OWNER_ONLY_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (statSync(path).isDirectory()) throw new Error(`EISDIR: ${path} is a directory`, { cause: error });
    accessSync(path, constants.R_OK | constants.W_OK);
  }
}

function restrict(path: string, mode: number): void {
  if ((statSync(path).mode & 0o077) === 0) return;
  try {
    chmodSync(path, mode);
  } catch (error) {
    // Only the owner can, and another user may be the owner of a file that was brought here.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

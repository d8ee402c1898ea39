import { accessSync, chmodSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../errors/config-error.js';

/** The files contain phone numbers and names, which other users of the machine must not read. */
const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/** The folder of the default `DATABASE_URL`. Only the program uses it; any other folder may contain other files. */
const DEFAULT_FOLDER = 'data';

/** The suffixes of the main file, and of the files that SQLite and `migrate` create beside it. */
const SUFFIXES = ['', '-wal', '-shm', '-journal', '-migration-lock', '-migration-lock-journal'];

/**
 * Creates the folder and the main file of a SQLite database if they are missing, with permissions for their owner only.
 * Removes the permissions of other users from existing files. SQLite gives the mode of the main file to the files that
 * it creates later.
 *
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

/** Creates the file that a process locks while it migrates. @returns its path */
export function createMigrationLock(path: string): string {
  const lock = `${path}-migration-lock`;
  createForOwner(lock);
  return lock;
}

/**
 * Creates a file for its owner only. It never opens an existing file, because closing it would release all locks that
 * this process holds on it through SQLite. Another program that reads the database would then consider itself the only
 * user, and delete the `-wal` file, whose commits are nowhere else. Source: https://www.sqlite.org/howtocorrupt.html,
 * "Posix advisory locks canceled by a separate thread doing close()".
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
    // Only the owner can change the mode, and a file that was copied here may have another owner.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

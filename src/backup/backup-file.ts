import { lstatSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** A backup was not made. `message` is one sentence that says why. */
export class BackupError extends Error {}

/** The file of a backup. */
export interface BackupFile {
  /** Absolute. */
  path: string;
  /** In bytes. */
  size: number;
  /** ISO 8601, by this machine's clock: what was stored before is in the backup. */
  time: string;
}

/** A backup that was made. */
export interface BackupResult extends BackupFile {
  /** What was copied, without its password. */
  source: string;
}

/** Only the owner may read it: a backup holds phone numbers and names. */
const PRIVATE = 0o600;

/**
 * Creates the file of a backup. It has its name only once it is complete, checked and on the disk. Until then it is
 * `<file>.partial`, which is removed when `write` fails.
 *
 * @param write fills the empty file at the given path, and checks it
 * @throws BackupError when there is such a file already, or it cannot be made
 */
export async function createBackupFile(file: string, write: (path: string) => Promise<void>): Promise<BackupFile> {
  const path = resolve(file);
  const partial = `${path}.partial`;
  if (exists(path)) throw new BackupError(`${path} exists: a backup never replaces a file.`);
  await createEmpty(partial);
  const time = `${new Date().toISOString().slice(0, -5)}Z`;
  try {
    await write(partial);
    await flush(partial);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error instanceof BackupError ? error : new BackupError(`The backup failed: ${(error as Error).message}.`);
  }
  await flush(dirname(path));
  return { path, size: statSync(path).size, time };
}

async function createEmpty(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', PRIVATE)).close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new BackupError(`The backup cannot be written: ${message}.`);
    throw new BackupError(
      `${path} exists: another backup is being written, or was broken off; in that case delete it.`,
    );
  }
}

/** Has the disk keep a file, or the names in a folder: neither SQLite's `VACUUM INTO` nor a rename does. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

import { lstatSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** No backup was made. `message` is one sentence that says why. */
export class BackupError extends Error {}

/** The file of a backup. */
export interface BackupFile {
  /** Absolute. */
  path: string;
  /** In bytes. */
  size: number;
  /** When the backup began: ISO 8601, by this machine's clock. It contains everything that was committed before. */
  time: string;
}

/** A complete backup. */
export interface BackupResult extends BackupFile {
  /** The database, without its password. */
  source: string;
}

/** Only the owner may read a backup, because it contains phone numbers and names. */
const OWNER_ONLY = 0o600;

/**
 * Creates a backup file. The file gets its name only when it is complete, checked and flushed to the disk. Until then
 * it is named `<file>.partial`; it is removed if `write` fails.
 *
 * @param file the path of the backup
 * @param write writes the backup to the empty file at the given path, and checks it
 * @throws BackupError if the file exists, or cannot be written
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
    await (await open(path, 'wx', OWNER_ONLY)).close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new BackupError(`The backup cannot be written: ${message}.`);
    throw new BackupError(
      `${path} exists: another backup is being written, or was broken off; in that case delete it.`,
    );
  }
}

/** Flushes a file or a folder to the disk, which neither SQLite's `VACUUM INTO` nor a rename does. */
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

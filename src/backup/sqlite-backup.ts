import { existsSync } from 'node:fs';
import { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/database.js';
import { readingDataSourceOptions } from '../database/data-source-options.js';
import { BackupError, type BackupResult, createBackupFile } from './backup-file.js';

/**
 * Copies a SQLite database as it is at one moment, including what is still in its `-wal` file, while others read and
 * write it.
 * Source: https://www.sqlite.org/lang_vacuum.html#vacuuminto
 *
 * @throws BackupError
 */
export async function backUpSqlite(database: DatabaseConfig & { kind: 'sqlite' }, file: string): Promise<BackupResult> {
  // Opening it would create it, and its folder.
  if (!existsSync(database.path))
    throw new BackupError(`There is no database at ${database.path}: set DATABASE_URL as for the program.`);
  const made = await createBackupFile(file, async (copy) => {
    const dataSource = await new DataSource(readingDataSourceOptions(database)).initialize();
    try {
      await dataSource.query('VACUUM INTO ?', [copy]);
      await check(dataSource, copy);
    } finally {
      await dataSource.destroy();
    }
  });
  return { ...made, source: database.path };
}

/** Attached, and not opened, so that the copy is not put into WAL mode and stays one file. */
async function check(dataSource: DataSource, copy: string): Promise<void> {
  await dataSource.query('ATTACH ? AS copy', [copy]);
  const rows = await dataSource.query<{ integrity_check: string }[]>('PRAGMA copy.integrity_check');
  await dataSource.query('DETACH copy');
  const [first] = rows.map((row) => row.integrity_check);
  if (first !== 'ok') throw new BackupError(`The database is damaged, no backup was made: ${first}.`);
}

import { existsSync } from 'node:fs';
import { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/database.js';
import { readingDataSourceOptions } from '../database/data-source-options.js';
import { BackupError, type BackupResult, createBackupFile } from './backup-file.js';

/**
 * Backs up a SQLite database, which may be in use. The copy is a consistent snapshot, and includes the commits that are
 * still in the `-wal` file. Source: https://www.sqlite.org/lang_vacuum.html#vacuuminto
 *
 * @param file the path of the backup
 * @throws BackupError if there is no database, or it is damaged
 */
export async function backUpSqlite(database: DatabaseConfig & { kind: 'sqlite' }, file: string): Promise<BackupResult> {
  // Opening the database would create it and its folder.
  if (!existsSync(database.path))
    throw new BackupError(`There is no database at ${database.path}: set DATABASE_URL as for the program.`);
  const backup = await createBackupFile(file, async (copy) => {
    const dataSource = await new DataSource(readingDataSourceOptions(database)).initialize();
    try {
      await dataSource.query('VACUUM INTO ?', [copy]);
      await checkIntegrity(dataSource, copy);
    } finally {
      await dataSource.destroy();
    }
  });
  return { ...backup, source: database.path };
}

/** Checks the copy. It is attached, because opening it would switch it to WAL mode and create further files. */
async function checkIntegrity(dataSource: DataSource, copy: string): Promise<void> {
  await dataSource.query('ATTACH ? AS copy', [copy]);
  const rows = await dataSource.query<{ integrity_check: string }[]>('PRAGMA copy.integrity_check');
  await dataSource.query('DETACH copy');
  const [first] = rows.map((row) => row.integrity_check);
  if (first !== 'ok') throw new BackupError(`The database is damaged, no backup was made: ${first}.`);
}

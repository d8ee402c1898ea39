import 'reflect-metadata';
import { BackupError } from './backup/backup-file.js';
import { backUpPostgres } from './backup/postgres-backup.js';
import { backUpSqlite } from './backup/sqlite-backup.js';
import { ConfigError } from './errors/config-error.js';
import { readDatabase } from './config/database.js';
import { loadEnvironment } from './config/load-environment.js';

// `npm run backup -- FILE` writes a checked copy of the database. The program may be running. See docs/operations.md.
try {
  const [file, ...others] = process.argv.slice(2);
  if (!file || others.length > 0) throw new BackupError('Name the file to write: npm run backup -- FILE');
  loadEnvironment();
  const database = readDatabase(process.env);
  const backup = database.kind === 'sqlite' ? backUpSqlite(database, file) : backUpPostgres(database, file);
  const { path, size, source, time } = await backup;
  console.log(`${path} is a backup of ${source} as it was at ${time}: ${size.toLocaleString('en-US')} bytes, checked.`);
} catch (error) {
  console.error(error instanceof BackupError || error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
}

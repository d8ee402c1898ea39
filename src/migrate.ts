import 'reflect-metadata';
import { ConfigError } from './errors/config-error.js';
import { readDatabase } from './config/database.js';
import { loadEnvironment } from './config/load-environment.js';
import { dataSourceOptions } from './database/data-source-options.js';
import { openDatabase } from './database/open-database.js';

// `npm run migrate` applies pending migrations.
try {
  loadEnvironment();
  const dataSource = await openDatabase(dataSourceOptions(readDatabase(process.env)), (message) =>
    console.log(`${message}.`),
  );
  console.log('The database is up to date.');
  await dataSource.destroy();
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}

import 'reflect-metadata';
import { ConfigError } from './config.js';
import { loadEnvironment } from './config/load-environment.js';

// Brings the tables up to date and ends: for those who would rather not have it done when the program starts.
try {
  loadEnvironment();
  const { default: dataSource } = await import('../ormconfig.js');
  const { openDatabase } = await import('./database/open-database.js');
  const opened = await openDatabase(dataSource.options, (message) => console.log(`${message}.`));
  console.log('The database is up to date.');
  await opened.destroy();
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}

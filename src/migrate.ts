import 'reflect-metadata';
import { existsSync } from 'node:fs';

// Brings the tables up to date and ends: for those who would rather not have it done when the program starts.
if (existsSync('.env')) process.loadEnvFile('.env');
const { default: dataSource } = await import('../ormconfig.js');
const { openDatabase } = await import('./database/open-database.js');
const opened = await openDatabase(dataSource.options);
console.log('The database is up to date.');
await opened.destroy();

import { DataSource } from 'typeorm';
import { readDatabase } from './src/config/database.js';
import { dataSourceOptions } from './src/database/data-source-options.js';
import { entities } from './src/entities.js';

/** The data source for TypeORM's command line. It opens the database of `DATABASE_URL` as the program does. */
export default new DataSource({ ...dataSourceOptions(readDatabase(process.env)), entities });

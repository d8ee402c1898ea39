import { Global, Module } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../ormconfig.js';
import { Config, ConfigError } from '../config.js';
import { openDatabase } from './open-database.js';
import { PostgresWriter } from './postgres-writer.js';
import { Reader } from './reader.js';
import { SqliteWriter } from './sqlite-writer.js';
import { BackgroundUnitOfWork, UnitOfWork } from './unit-of-work.js';
import { Writer } from './writer.js';

@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [Config],
      useFactory: ({ database, poolShares, databaseWait }: Config) => ({
        ...dataSourceOptions(database, { pool: poolShares.writing, wait: databaseWait }),
        // A server may still be starting; a file is there or it is not.
        retryAttempts: database.kind === 'postgres' ? 10 : 1,
        toRetry: (error: unknown) => !(error instanceof ConfigError),
      }),
      dataSourceFactory: (options) => openDatabase(options!),
    }),
  ],
  providers: [
    {
      provide: Writer,
      inject: [getDataSourceToken(), Config],
      useFactory: (dataSource: DataSource, { database, poolShares, databaseWait }: Config) =>
        database.kind === 'postgres'
          ? new PostgresWriter(dataSource, { apiConnections: poolShares.apiWriting, wait: databaseWait })
          : new SqliteWriter(dataSource),
    },
    UnitOfWork,
    BackgroundUnitOfWork,
    Reader,
  ],
  exports: [UnitOfWork, BackgroundUnitOfWork, Reader],
})
export class DatabaseModule {}

import { type DynamicModule, Global, Logger, Module, type Provider, type Type } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { ConfigError } from '../errors/config-error.js';
import { dataSourceOptions } from './data-source-options.js';
import { isPostgres } from './dialect.js';
import { openDatabase } from './open-database.js';
import { poolShares } from './pool-shares.js';
import { PostgresConnections } from './postgres-connections.js';
import { PostgresReader } from './postgres-reader.js';
import { PostgresWriter } from './postgres-writer.js';
import { DatabaseUnavailableError } from './connection-refusals.js';
import { BackgroundReader, Reader } from './reader.js';
import { SqliteReadConnections } from './sqlite-read-connections.js';
import { SqliteReader } from './sqlite-reader.js';
import { SqliteWriter } from './sqlite-writer.js';
import { BackgroundUnitOfWork, UnitOfWork } from './unit-of-work.js';
import { type Origin, Writer } from './writer.js';

const main = getDataSourceToken();
const logger = new Logger('Database');

const connections: Provider = isPostgres
  ? {
      provide: PostgresConnections,
      inject: [main, Config],
      useFactory: (dataSource: DataSource, config: Config) => PostgresConnections.open(dataSource, config),
    }
  : {
      provide: SqliteReadConnections,
      // After the main data source, which creates the file and its tables.
      inject: [main, Config],
      useFactory: (_main: DataSource, { database }: Config) =>
        SqliteReadConnections.open(database as { kind: 'sqlite'; path: string }),
    };

const writer: Provider = isPostgres
  ? {
      provide: Writer,
      inject: [PostgresConnections],
      useFactory: (open: PostgresConnections) => new PostgresWriter(open),
    }
  : { provide: Writer, inject: [main], useFactory: (dataSource: DataSource) => new SqliteWriter(dataSource) };

function reader(provide: typeof Reader, origin: Origin): Provider {
  return isPostgres
    ? {
        provide,
        inject: [PostgresConnections, Config],
        useFactory: (open: PostgresConnections, { readTimeout }: Config) =>
          new PostgresReader(open, origin, readTimeout),
      }
    : {
        provide,
        inject: [SqliteReadConnections, Config],
        useFactory: (open: SqliteReadConnections, { readTimeout }: Config) =>
          new SqliteReader(open, origin, readTimeout),
      };
}

/** The database: writes by {@link UnitOfWork}, reads by {@link Reader}, and both for background work. */
@Global()
@Module({
  providers: [
    connections,
    writer,
    reader(Reader, 'api'),
    reader(BackgroundReader, 'background'),
    UnitOfWork,
    BackgroundUnitOfWork,
  ],
  exports: [UnitOfWork, BackgroundUnitOfWork, Reader, BackgroundReader],
})
export class DatabaseModule {
  /**
   * Opens the database, and runs the pending migrations.
   *
   * @param entities those that TypeORM reads and writes
   */
  static for(entities: Type<object>[]): DynamicModule {
    const dataSource = TypeOrmModule.forRootAsync({
      inject: [Config],
      useFactory: ({ database, databasePool, databaseWait, servesApi }: Config) => ({
        ...dataSourceOptions(database, { pool: poolShares(databasePool, servesApi).main, wait: databaseWait }),
        entities,
        // A server may still be starting. A file that cannot be opened stays so.
        retryAttempts: database.kind === 'postgres' ? 10 : 1,
        toRetry: (error: unknown) => error instanceof DatabaseUnavailableError || !(error instanceof ConfigError),
      }),
      dataSourceFactory: (options) => openDatabase(options!, (message) => logger.log(message)),
    });
    return { module: DatabaseModule, imports: [dataSource] };
  }
}

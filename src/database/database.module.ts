import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions } from '../../ormconfig.js';
import { Config } from '../config.js';
import { openDatabase } from './open-database.js';
import { Reader } from './reader.js';
import { UnitOfWork } from './unit-of-work.js';

@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [Config],
      useFactory: ({ database, databasePool, databaseWait }: Config) => ({
        ...dataSourceOptions(database, { pool: databasePool, wait: databaseWait }),
        // A server may still be starting; a file is there or it is not.
        retryAttempts: database.kind === 'postgres' ? 10 : 1,
      }),
      dataSourceFactory: (options) => openDatabase(options!),
    }),
  ],
  providers: [UnitOfWork, Reader],
  exports: [UnitOfWork, Reader],
})
export class DatabaseModule {}

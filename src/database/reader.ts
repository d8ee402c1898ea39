import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Sql } from 'sql-template-tag';
import { DataSource } from 'typeorm';
import { readingDataSourceOptions } from '../../ormconfig.js';
import { Config } from '../config.js';
import { ClosableDataSource } from './open-database.js';
import { rowsOf } from './statements.js';

/** The one door for reads: it sees what has been committed, and waits for no writer. */
@Injectable()
export class Reader implements OnModuleInit, OnApplicationShutdown {
  private connection: DataSource;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {
    this.connection = dataSource;
  }

  async onModuleInit(): Promise<void> {
    if (this.config.database.kind === 'postgres') return;
    this.connection = await new ClosableDataSource(readingDataSourceOptions(this.config.database)).initialize();
    await this.connection.query('PRAGMA query_only = ON');
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.connection !== this.dataSource) await this.connection.destroy();
  }

  rows<T = Record<string, unknown>>(statement: Sql): Promise<T[]> {
    return rowsOf<T>(this.connection, statement);
  }
}

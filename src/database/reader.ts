import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import sql, { type Sql } from 'sql-template-tag';
import { DataSource } from 'typeorm';
import { readingDataSourceOptions } from '../../ormconfig.js';
import { Config } from '../config.js';
import { isPostgres } from './dialect.js';
import { ClosableDataSource } from './open-database.js';
import { type Plan, rowsOf } from './statements.js';

/** Connections that read a SQLite file: a long count on one does not hold up the others. */
const SQLITE_READERS = 3;

interface Connection {
  dataSource: DataSource;
  /** Statements that it is at, or that wait for it. */
  busy: number;
}

/** The one door for reads: it sees what has been committed, and waits for no writer. */
@Injectable()
export class Reader implements OnModuleInit, OnApplicationShutdown {
  /** On SQLite; PostgreSQL's data source has a pool of its own. */
  private connections: Connection[] = [];

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {}

  async onModuleInit(): Promise<void> {
    const { database } = this.config;
    if (database.kind === 'postgres') return;
    for (let made = 0; made < SQLITE_READERS; made++) {
      const dataSource = await new ClosableDataSource(readingDataSourceOptions(database)).initialize();
      await dataSource.query('PRAGMA query_only = ON');
      this.connections.push({ dataSource, busy: 0 });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.connections.map(({ dataSource }) => dataSource.destroy()));
  }

  /** The row that a key names, if there is one. */
  async row<T = Record<string, unknown>>(statement: Sql): Promise<T | undefined> {
    const [row] = await this.rows<T>(statement, 'kept');
    return row;
  }

  /**
   * The rows of a statement that goes over whole tables, perhaps while others fill them. PostgreSQL, which may believe them to be empty still,
   * is kept from looking in one of them for each row of another: that would go on for as long as they grow.
   */
  async rowsOfAll<T>(statement: Sql): Promise<T[]> {
    if (!isPostgres) return this.rows<T>(statement);
    return this.dataSource.transaction(async (manager) => {
      await rowsOf(manager, sql`SET LOCAL enable_nestloop = off`);
      return rowsOf<T>(manager, statement);
    });
  }

  async rows<T = Record<string, unknown>>(statement: Sql, plan: Plan = 'anew'): Promise<T[]> {
    const [first, ...others] = this.connections;
    if (!first) return rowsOf<T>(this.dataSource, statement, plan);
    const idlest = others.reduce((best, one) => (one.busy < best.busy ? one : best), first);
    idlest.busy++;
    try {
      return await rowsOf<T>(idlest.dataSource, statement, plan);
    } finally {
      idlest.busy--;
    }
  }
}

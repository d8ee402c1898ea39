import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/database/data-source-options.js';
import { readDatabase } from '../../src/config/database.js';
import type { Api } from './api.js';
import { Program } from './program.js';

/** The way to run the program that is under test. The same suite runs on both ways. */
export const way = process.env.SCFM_TEST_WAY === 'cluster' ? 'cluster' : 'embedded';

/** An empty database, and a Redis on the cluster, on which a test starts and stops programs. */
export class Installation {
  private readonly programs: Program[] = [];

  private constructor(
    readonly environment: Record<string, string>,
    private readonly dispose: () => Promise<void>,
  ) {}

  /** Creates an installation for the way that is under test. */
  static async create(): Promise<Installation> {
    return way === 'cluster' ? createOnServers() : createInFolder();
  }

  /** Creates an installation on a SQLite file, whichever way is under test. */
  static createEmbedded(): Promise<Installation> {
    return createInFolder();
  }

  /**
   * Starts the built program on this database, and waits until it serves requests.
   *
   * @param environment further environment variables
   */
  async start(environment: Record<string, string> = {}): Promise<Program> {
    const program = await Program.start({ ...this.environment, ...environment });
    this.programs.push(program);
    return program;
  }

  /** @returns a client of a program that serves the API. Starts one if none runs */
  async runningApi(): Promise<Api> {
    const running = this.programs.findLast((program) => program.servesApi && !program.hasExited);
    return (running ?? (await this.start())).api;
  }

  /** Runs a statement on a database connection of its own. @returns the rows */
  async query<T>(statement: string): Promise<T[]> {
    const database = await this.connect();
    try {
      return (await database.query(statement)) as T[];
    } finally {
      await database.close();
    }
  }

  /** Opens a database connection. The caller closes it. */
  async connect(): Promise<{ query(statement: string): Promise<unknown>; close(): Promise<void> }> {
    const options = dataSourceOptions(readDatabase(this.environment));
    const dataSource = await new DataSource({ ...options, entities: [], migrations: [] }).initialize();
    const runner = dataSource.createQueryRunner();
    return {
      query: (statement) => runner.query(statement),
      close: async () => {
        await runner.release();
        await dataSource.destroy();
      },
    };
  }

  /** Inserts `count` contacts with the metadata `{"many":"yes"}` by SQL. Their numbers begin with +85590. */
  async insertContacts(count: number): Promise<void> {
    const numbers =
      readDatabase(this.environment).kind === 'postgres'
        ? `SELECT n FROM generate_series(1, ${count}) AS n`
        : `WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count}) SELECT n FROM s`;
    await this.query(
      `INSERT INTO contacts (msisdn, metadata)
        SELECT '+85590' || (1000000 + n), '{"many":"yes"}' FROM (${numbers}) AS numbers`,
    );
  }

  /** Blocks all writes of contacts and provider webhooks. @returns a function that ends the block */
  async blockWrites(): Promise<() => Promise<void>> {
    const holder = await this.connect();
    const statements = {
      embedded: ['BEGIN IMMEDIATE'],
      cluster: [
        'SET idle_in_transaction_session_timeout = 0',
        'BEGIN',
        'LOCK TABLE contacts, remote_phone_call_events IN SHARE MODE',
      ],
    };
    for (const statement of statements[way]) await holder.query(statement);
    return async () => {
      await holder.query('COMMIT');
      await holder.close();
    };
  }

  /** Kills all running programs with SIGKILL. */
  async killAll(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.kill()));
  }

  /** Kills all running programs, and removes the database. */
  async remove(): Promise<void> {
    await this.killAll();
    await this.dispose();
  }

  /**
   * Wraps an existing database.
   *
   * @param environment the settings of the programs that use it
   * @param dispose releases what the installation stands on
   */
  static of(environment: Record<string, string>, dispose: () => Promise<void>): Installation {
    return new Installation(environment, dispose);
  }
}

async function createInFolder(): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'scfm-'));
  return Installation.of({ DATABASE_URL: `sqlite:${join(folder, 'scfm.sqlite3')}` }, async () => {
    rmSync(folder, { recursive: true, force: true });
  });
}

async function createOnServers(): Promise<Installation> {
  const server = process.env.TEST_DATABASE_URL!;
  const name = `scfm_${randomUUID().replaceAll('-', '')}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const database = new URL(server);
  database.pathname = name;
  // Redis has sixteen databases. Each Vitest worker uses its own.
  const redisUrl = `${process.env.TEST_REDIS_URL}/${Number(process.env.VITEST_POOL_ID ?? 0) % 16}`;
  const redis = new Redis(redisUrl);
  await redis.flushdb();
  redis.disconnect();
  return Installation.of({ DATABASE_URL: database.href, REDIS_URL: redisUrl }, () =>
    onServer(server, `DROP DATABASE ${name} WITH (FORCE)`),
  );
}

async function onServer(url: string, statement: string): Promise<void> {
  const dataSource = await new DataSource({ type: 'postgres', url }).initialize();
  await dataSource.query(statement);
  await dataSource.destroy();
}

import type { Pool, PoolClient } from 'pg';
import sql, { type Sql } from 'sql-template-tag';
import type { PostgresConnections } from './postgres-connections.js';
import { isCanceled } from './database-errors.js';
import { findPool, runOn } from './postgres-statements.js';
import { type PendingResponse, ReadTimeoutError, withinDeadline } from './read-deadline.js';
import { Reader } from './reader.js';
import { query } from './statements.js';
import type { Origin } from './writer.js';

/**
 * The planner still uses a nested loop where there is no other way, but adds a huge cost to it. That cost would start
 * the JIT compiler, which takes longer than the statement.
 */
const WITHOUT_NESTED_LOOPS = { enable_nestloop: 'off', jit: 'off' };

/** How long the first attempt of {@link PostgresReader.firstRows}, with nested loops, may take (ms). */
const NESTED_LOOP_TIMEOUT = 250;

/** Reads from PostgreSQL. */
export class PostgresReader extends Reader {
  /**
   * @param origin whose reads these are
   * @param timeout how long the list of an API client may take (s)
   */
  constructor(
    private readonly connections: PostgresConnections,
    private readonly origin: Origin,
    private readonly timeout: number,
  ) {
    super();
  }

  async row<T>(statement: Sql): Promise<T | undefined> {
    const { main } = this.connections;
    const [row] = await this.connections.run(this.origin, () => query<T>(main, statement, { prepared: true }));
    return row;
  }

  rows<T>(statement: Sql, response?: PendingResponse): Promise<T[]> {
    return this.read(response, async (client) => (await runOn<T>(client, statement)).rows);
  }

  scan<T>(statement: Sql, response?: PendingResponse): Promise<T[]> {
    return this.read(response, (client) => queryWithSettings<T>(client, WITHOUT_NESTED_LOOPS, statement));
  }

  firstRows<T>(statement: Sql, response?: PendingResponse): Promise<T[]> {
    return this.read(response, async (client, signal) => {
      try {
        return await queryWithSettings<T>(client, { statement_timeout: NESTED_LOOP_TIMEOUT }, statement);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isCanceled(error)) throw error;
        await client.query('ROLLBACK');
        return queryWithSettings<T>(client, WITHOUT_NESTED_LOOPS, statement);
      }
    });
  }

  private read<T>(
    response: PendingResponse | undefined,
    work: (client: PoolClient, signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { main, lists } = this.connections;
    if (this.origin === 'background') return withClient(findPool(main), work);
    return withinDeadline(this.timeout, response, (signal) =>
      withClient(findPool(lists), (client) => this.cancelOnAbort(signal, client, work)),
    );
  }

  /** Runs `work`. When `signal` aborts, the server cancels its statement. */
  private async cancelOnAbort<T>(
    signal: AbortSignal,
    client: PoolClient & { processID?: number },
    work: (client: PoolClient, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    let canceling: Promise<unknown> | undefined;
    const cancel = () => {
      // If this fails, the time limit of the server ends the statement.
      canceling = query(this.connections.main, sql`SELECT pg_cancel_backend(${client.processID})`).catch(
        () => undefined,
      );
    };
    signal.throwIfAborted();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await work(client, signal);
    } catch (error) {
      // The time limit of the server came first.
      throw isCanceled(error) ? new ReadTimeoutError(this.timeout) : error;
    } finally {
      signal.removeEventListener('abort', cancel);
      // A late cancellation must not cancel the next statement of this connection.
      await canceling;
    }
  }
}

/** Runs a statement in a transaction with its own settings. */
async function queryWithSettings<T>(client: PoolClient, settings: object, statement: Sql): Promise<T[]> {
  const set = Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${value}`);
  await client.query(['BEGIN READ ONLY', ...set].join('; '));
  const { rows } = await runOn<T>(client, statement);
  await client.query('COMMIT');
  return rows;
}

/**
 * Runs `work` on a connection of a pool. If it fails, the connection is closed: it may have an open transaction, or a
 * cancellation may still arrive.
 */
async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // The statement fails with the error. An `error` event without a listener would end the process.
  const listener = () => undefined;
  client.on('error', listener);
  let failure: unknown;
  try {
    return await work(client);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    client.off('error', listener);
    client.release(failure !== undefined);
  }
}

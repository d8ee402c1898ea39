import type { Pool, PoolClient } from 'pg';
import sql, { type Sql } from 'sql-template-tag';
import type { PostgresConnections } from './postgres-connections.js';
import { isCanceled } from './outage.js';
import { poolOf, runOn } from './postgres-statements.js';
import { type PendingAnswer, ReadTimedOut, withinDeadline } from './read-deadline.js';
import { Reader } from './reader.js';
import { rowsOf } from './statements.js';
import type { Origin } from './writer.js';

/**
 * Where there is no other way than a nested loop, its pretended cost would have PostgreSQL compile the statement (jit),
 * which takes longer.
 */
const WITHOUT_NESTED_LOOPS = { enable_nestloop: 'off', jit: 'off' };

/** How long PostgreSQL may look for the first rows by nested loops (ms). */
const FIRST_TRY = 250;

/** Reads from PostgreSQL, for one origin. */
export class PostgresReader extends Reader {
  /** @param timeout how long a client's list may take, in seconds */
  constructor(
    private readonly connections: PostgresConnections,
    private readonly origin: Origin,
    private readonly timeout: number,
  ) {
    super();
  }

  async row<T>(statement: Sql): Promise<T | undefined> {
    const { main } = this.connections;
    const [row] = await this.connections.within(this.origin, () => rowsOf<T>(main, statement, 'kept'));
    return row;
  }

  rows<T>(statement: Sql, answer?: PendingAnswer): Promise<T[]> {
    return this.read(answer, async (client) => (await runOn<T>(client, statement, 'anew')).rows);
  }

  rowsOfAll<T>(statement: Sql, answer?: PendingAnswer): Promise<T[]> {
    return this.read(answer, (client) => runWith<T>(client, WITHOUT_NESTED_LOOPS, statement));
  }

  firstRows<T>(statement: Sql, answer?: PendingAnswer): Promise<T[]> {
    return this.read(answer, async (client, signal) => {
      try {
        return await runWith<T>(client, { statement_timeout: FIRST_TRY }, statement);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isCanceled(error)) throw error;
        await client.query('ROLLBACK');
        return runWith<T>(client, WITHOUT_NESTED_LOOPS, statement);
      }
    });
  }

  private read<T>(
    answer: PendingAnswer | undefined,
    work: (client: PoolClient, signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { main, lists } = this.connections;
    if (this.origin === 'background') return withClient(poolOf(main), work);
    return withinDeadline(this.timeout, answer, (signal) =>
      withClient(poolOf(lists), (client) => this.untilAborted(signal, client, work)),
    );
  }

  /** Runs `work`, which the server is told to cancel when `signal` aborts. */
  private async untilAborted<T>(
    signal: AbortSignal,
    client: PoolClient & { processID?: number },
    work: (client: PoolClient, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    let canceling: Promise<unknown> | undefined;
    const cancel = () => {
      // If this fails, the server's own time limit ends the statement.
      canceling = rowsOf(this.connections.main, sql`SELECT pg_cancel_backend(${client.processID})`).catch(
        () => undefined,
      );
    };
    signal.throwIfAborted();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await work(client, signal);
    } catch (error) {
      // The server's time limit ran out first.
      throw isCanceled(error) ? new ReadTimedOut(this.timeout) : error;
    } finally {
      signal.removeEventListener('abort', cancel);
      // A cancellation that comes late must not meet the next statement of this connection.
      await canceling;
    }
  }
}

/** Runs a statement in a transaction that has settings of its own. */
async function runWith<T>(client: PoolClient, settings: object, statement: Sql): Promise<T[]> {
  const set = Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${value}`);
  await client.query(['BEGIN READ ONLY', ...set].join('; '));
  const { rows } = await runOn<T>(client, statement, 'anew');
  await client.query('COMMIT');
  return rows;
}

/** A connection whose work failed is closed: a transaction may be open on it, or a cancellation on its way to it. */
async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // The statement that fails says so; an error event that nobody listens to would end the process.
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

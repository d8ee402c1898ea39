import type { ClientBase, QueryConfig } from 'pg';

/**
 * Settings of PostgreSQL that our statements and their results rely on. A role, a database or a server may have others,
 * so each connection sets them when it is made. Sources:
 * https://www.postgresql.org/docs/current/runtime-config-client.html and the chapters beside it.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // How values are read and written.
  client_encoding: 'UTF8',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // How statements are read.
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // A limit here leaves rows out of what a GIN index finds, at random.
  gin_fuzzy_search_limit: '0',
  // Transactions: `serializable` would fail those that only look at the same rows.
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  default_transaction_read_only: 'off',
  exit_on_error: 'off',
  // Waiting is bounded by us: a limit of the role's would break off a batch of work each time.
  statement_timeout: '0',
  lock_timeout: '0',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  // Each plan is made for its values (docs/architecture.md).
  plan_cache_mode: 'auto',
};

/**
 * Sets those that this version of the server has, by the names that `pg_settings` has for them. `synchronous_commit` is
 * raised where it is off, since a claim that a power cut undoes is a second call; a server that waits for its replicas,
 * too, goes on doing so.
 */
const SET = `SELECT set_config(name, given.value, false)
  FROM json_each_text($1::json) AS given (name, value) JOIN pg_settings USING (name)
  WHERE name <> 'synchronous_commit' OR setting = 'off'`;

/**
 * Makes a connection to PostgreSQL what our statements rely on.
 * @param more settings that this connection has beside ours, or in place of them
 * @param patience seconds
 */
export async function setUpSession(
  connection: ClientBase,
  more: Readonly<Record<string, string>>,
  patience: number,
): Promise<void> {
  const values = [JSON.stringify({ synchronous_commit: 'on', ...SETTINGS, ...more })];
  const query: QueryConfig & { query_timeout: number } = { text: SET, values, query_timeout: patience * 1_000 };
  await connection.query(query);
}

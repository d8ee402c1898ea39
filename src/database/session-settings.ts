import type { ClientBase, QueryConfig } from 'pg';

/**
 * The settings of PostgreSQL that the statements of the program and their results depend on. A role, a database or a
 * server may have other values, so each new connection sets them. Source:
 * https://www.postgresql.org/docs/current/runtime-config-client.html and the chapters next to it.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // The format of values.
  client_encoding: 'UTF8',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // The syntax of statements.
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // With a limit, a GIN index finds only a random part of the rows.
  gin_fuzzy_search_limit: '0',
  // Transactions. With `serializable`, transactions that only read the same rows would fail.
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  default_transaction_read_only: 'off',
  exit_on_error: 'off',
  // Time limits. The program has its own; a limit of the role would end a long statement on each attempt.
  statement_timeout: '0',
  lock_timeout: '0',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  // Statements are planned for their values (docs/architecture.md).
  plan_cache_mode: 'auto',
};

/**
 * Sets the settings that this version of the server has. `synchronous_commit` is changed only if it is `off`: a power
 * cut could undo a claim, and that person would be called twice. A server that also waits for its replicas continues to
 * do so.
 */
const SET_CONFIG = `SELECT set_config(name, given.value, false)
  FROM json_each_text($1::json) AS given (name, value) JOIN pg_settings USING (name)
  WHERE name <> 'synchronous_commit' OR setting = 'off'`;

/**
 * Applies the settings to a new connection to PostgreSQL.
 *
 * @param overrides settings of this connection, which replace or extend the common ones
 * @param timeout how long this may take (s)
 * @throws Error of the driver
 */
export async function configureSession(
  connection: ClientBase,
  overrides: Readonly<Record<string, string>>,
  timeout: number,
): Promise<void> {
  const values = [JSON.stringify({ synchronous_commit: 'on', ...SETTINGS, ...overrides })];
  const query: QueryConfig & { query_timeout: number } = { text: SET_CONFIG, values, query_timeout: timeout * 1_000 };
  await connection.query(query);
}

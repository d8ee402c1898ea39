import { resolve } from 'node:path';
import { ConfigError } from '../errors/config-error.js';
import { DEFAULT_DATABASE_URL, type Environment } from './environment.js';
import { type PostgresConfig, readPostgres } from './postgres.js';

/** The database: a SQLite file, or a PostgreSQL server. */
export type DatabaseConfig = { kind: 'sqlite'; path: string } | PostgresConfig;

/**
 * Reads `DATABASE_URL`: a file (`sqlite:path`) or a PostgreSQL server.
 *
 * @param env the validated environment, or the variables of the process
 * @throws ConfigError when the value is neither, or cannot be used
 */
export function readDatabase(env: Partial<Pick<Environment, 'DATABASE_URL'>>): DatabaseConfig {
  const value = env.DATABASE_URL?.trim() || DEFAULT_DATABASE_URL;
  if (/^postgres(ql)?:\/\/./.test(value) && URL.canParse(value)) return readPostgres(value);
  const path = /^sqlite:(?:\/\/)?(.+)$/.exec(value)?.[1];
  if (path && !/[\\/]$|^:memory:$/.test(path)) return { kind: 'sqlite', path: resolve(path) };
  throw new ConfigError('DATABASE_URL must be sqlite:path/to/file or postgres://user:password@host:5432/name.');
}

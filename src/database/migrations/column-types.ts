import type { QueryRunner } from 'typeorm';

/**
 * @returns the column types of the database that a migration runs on, and whether it is PostgreSQL. `id` is a primary
 *   key, `whole` a 64-bit integer; the others are named after their content
 */
export function columnTypes(queryRunner: QueryRunner) {
  if (queryRunner.connection.options.type === 'postgres') {
    return {
      postgres: true,
      id: 'bigserial PRIMARY KEY',
      whole: 'bigint',
      jsonObject: `jsonb NOT NULL DEFAULT '{}'`,
      optionalJsonObject: 'jsonb',
      timestamp: 'timestamp(3) with time zone NOT NULL DEFAULT clock_timestamp()',
      optionalTimestamp: 'timestamp(3) with time zone',
    };
  }
  return {
    postgres: false,
    id: 'integer PRIMARY KEY AUTOINCREMENT NOT NULL',
    whole: 'integer',
    jsonObject: `text NOT NULL DEFAULT ('{}')`,
    optionalJsonObject: 'text',
    timestamp: `datetime NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`,
    optionalTimestamp: 'datetime',
  };
}

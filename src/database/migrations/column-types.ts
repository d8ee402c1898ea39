import type { QueryRunner } from 'typeorm';

/** The types that a migration's tables are made of, in the words of the database at hand. */
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

import { applyDecorators } from '@nestjs/common';
import { Column, ForeignKey, type ObjectType, PrimaryGeneratedColumn } from 'typeorm';
import { isPostgres, now } from './dialect.js';

// The dialect switch of the entities: one decorator a kind of column, so that no entity names a database's type itself.

const ID = isPostgres ? 'bigint' : 'integer';
const TIMESTAMP = isPostgres ? 'timestamptz' : 'datetime';
const MILLISECONDS = isPostgres ? { precision: 3 } : {};

/** The primary key: positive, ascending, never given out twice. */
export function Id(): PropertyDecorator {
  return PrimaryGeneratedColumn('increment', { type: ID, primaryKeyConstraintName: undefined });
}

/** A row of another table, which cannot go while this one refers to it. */
export function Reference(
  target: () => ObjectType<object>,
  name: string,
  { nullable = false } = {},
): PropertyDecorator {
  return applyDecorators(
    Column({ type: ID, nullable }),
    ForeignKey(target, { name, onDelete: 'RESTRICT' }),
  ) as PropertyDecorator;
}

export function Text({ nullable = false } = {}): PropertyDecorator {
  return Column({ type: 'text', nullable });
}

export function Whole({
  nullable = false,
  initially,
}: { nullable?: boolean; initially?: number } = {}): PropertyDecorator {
  return Column({ type: ID, nullable, default: initially });
}

/** A JSON object, `{}` unless given. */
export function JsonObject(): PropertyDecorator {
  return Column({ type: isPostgres ? 'jsonb' : 'simple-json', default: '{}' });
}

/** A JSON object that may be absent. */
export function OptionalJsonObject(): PropertyDecorator {
  return Column({ type: isPostgres ? 'jsonb' : 'simple-json', nullable: true });
}

/** An instant, to the millisecond, by the database's clock: now, unless given. */
export function Timestamp(): PropertyDecorator {
  return Column({ type: TIMESTAMP, ...MILLISECONDS, default: () => now.text });
}

/** An instant that may be absent. */
export function OptionalTimestamp(): PropertyDecorator {
  return Column({ type: TIMESTAMP, ...MILLISECONDS, nullable: true });
}

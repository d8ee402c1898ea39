import { type Type, applyDecorators } from '@nestjs/common';
import { Column, ForeignKey, type ObjectType, PrimaryGeneratedColumn, getMetadataArgsStorage } from 'typeorm';
import { isPostgres, now } from './dialect.js';

// The column decorators of the entities. Only this file knows the type of a column in each database.

const ID = isPostgres ? 'bigint' : 'integer';
const JSON_OBJECT = isPostgres ? 'jsonb' : 'simple-json';
const TIMESTAMP = isPostgres ? 'timestamptz' : 'datetime';
const MILLISECONDS = isPostgres ? { precision: 3 } : {};

/** The primary key: positive, ascending, never reused. */
export function IdColumn(): PropertyDecorator {
  return PrimaryGeneratedColumn('increment', { type: ID, primaryKeyConstraintName: undefined });
}

/**
 * The id of a row in another table. That row cannot be deleted while this one refers to it.
 *
 * @param target returns the entity of the other table
 * @param name the name of the constraint
 */
export function ForeignKeyColumn(
  target: () => ObjectType<object>,
  name: string,
  { nullable = false } = {},
): PropertyDecorator {
  return applyDecorators(
    Column({ type: ID, nullable }),
    ForeignKey(target, { name, onDelete: 'RESTRICT' }),
  ) as PropertyDecorator;
}

/**
 * A text of any length.
 *
 * @param options.defaultValue the value of a row that is inserted without one
 */
export function TextColumn({
  nullable = false,
  defaultValue,
}: { nullable?: boolean; defaultValue?: string } = {}): PropertyDecorator {
  return Column({ type: 'text', nullable, default: defaultValue });
}

/**
 * A 64-bit integer.
 *
 * @param options.defaultValue the value of a row that is inserted without one
 */
export function BigIntColumn({
  nullable = false,
  defaultValue,
}: { nullable?: boolean; defaultValue?: number } = {}): PropertyDecorator {
  return Column({ type: ID, nullable, default: defaultValue });
}

/** A JSON object. The default is `{}`. */
export function JsonColumn(): PropertyDecorator {
  return Column({ type: JSON_OBJECT, default: '{}' });
}

/** A JSON object, or null. */
export function OptionalJsonColumn(): PropertyDecorator {
  return Column({ type: JSON_OBJECT, nullable: true });
}

/** A point in time, with milliseconds. The default is the current time of the database. */
export function TimestampColumn(): PropertyDecorator {
  return Column({ type: TIMESTAMP, ...MILLISECONDS, default: () => now.text });
}

/** A point in time, with milliseconds, or null. */
export function OptionalTimestampColumn(): PropertyDecorator {
  return Column({ type: TIMESTAMP, ...MILLISECONDS, nullable: true });
}

/** A column, as the decorators of its entity declare it. */
export interface DeclaredColumn {
  kind: 'json' | 'timestamp' | 'scalar';
  nullable: boolean;
}

/** @returns the column of an entity's property; undefined when the property is not a column */
export function findColumn(entity: Type, property: string): DeclaredColumn | undefined {
  const column = getMetadataArgsStorage().columns.find(
    ({ target, propertyName }) => target === entity && propertyName === property,
  );
  if (!column) return undefined;
  const { type, nullable = false } = column.options;
  const kind = type === JSON_OBJECT ? 'json' : type === TIMESTAMP ? 'timestamp' : 'scalar';
  return { kind, nullable };
}

/**
 * @returns the name of an entity's table
 * @throws Error when the entity names no table
 */
export function tableName(entity: Type): string {
  const name = getMetadataArgsStorage().tables.find(({ target }) => target === entity)?.name;
  if (name === undefined) throw new Error(`${entity.name} names no table`);
  return name;
}

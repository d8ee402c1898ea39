import type { Type } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions, PickType } from '@nestjs/swagger';
import sql, { type Sql, join, raw } from 'sql-template-tag';
import { findColumn, tableName } from '../../database/columns.js';
import { parseJson, toIsoTimestamp } from '../../database/dialect.js';
import { convertersOf } from '../converters.js';
import type { ColumnFilter, Filters } from '../filters/filter.js';
import type { Attribute, Resource, Row } from './resource.js';

/** An attribute that shows a column of the entity. */
interface ColumnAttribute {
  /** The SQL expression to show and to filter by, instead of the column. */
  column?: Sql;
  /** Creates its filters. Without this, clients cannot filter by the attribute. */
  filter?: ColumnFilter;
}

/** An attribute that is computed from columns of the entity. */
interface ComputedAttribute<Entity> {
  /** The columns that `present` uses. */
  from: readonly (keyof Entity & string)[];
  present(row: Row): unknown;
  /** Its OpenAPI schema. */
  schema: ApiPropertyOptions;
}

/** A filter on a value that is not shown: a column of the entity, or `column`. */
type HiddenFilter = Required<Pick<ColumnAttribute, 'filter'>> & Pick<ColumnAttribute, 'column'>;

interface Definition<Entity, Update, Name extends string, FilterName extends string> {
  entity: Type<Entity>;
  /**
   * The DTO of the body that changes a record. Its properties are the writable attributes. All others are read-only.
   * Without this, clients cannot change records.
   */
  update?: Type<Update>;
  /** In the order in which the API shows them. */
  attributes: {
    [Key in Name]: Key extends keyof Entity ? ColumnAttribute : ComputedAttribute<Entity>;
  };
  filters?: { [Key in FilterName]: Key extends keyof Entity ? HiddenFilter : Required<HiddenFilter> };
}

/** The update body of a resource that clients cannot change. */
class NoChanges {}

/**
 * Creates a resource from the list of its attributes. The entity defines the table, the types and nullability of the
 * columns, and the OpenAPI schema. The list defines which attributes are shown and which filters exist. Columns that
 * are not in the list are internal.
 * @throws Error when an attribute has no column
 */
export function defineResource<
  Entity extends object,
  Update extends object,
  Name extends string,
  FilterName extends string = never,
>(definition: Definition<Entity, Update, Name, FilterName>): Resource<Update> {
  const { entity, update = NoChanges as Type<Update> } = definition;
  const table = tableName(entity);
  const permitted = convertersOf(update);
  const declared = Object.entries<ColumnAttribute | ComputedAttribute<Entity>>(definition.attributes);
  const attributes = declared.map(([name, attribute]): Attribute => ({
    name,
    writable: permitted.has(name),
    ...('from' in attribute ? computedAttribute(table, attribute) : columnAttribute(entity, table, name, attribute)),
  }));
  const hidden = Object.entries<HiddenFilter>(definition.filters ?? {}).map(([name, { column, filter }]) =>
    filter(filteredColumn(entity, table, name, column)),
  );
  return {
    name: table,
    model: modelOf(entity, declared),
    update,
    attributes,
    columns: join(attributes.map(({ columns }) => columns)),
    filters: Object.assign({}, ...attributes.map(({ filters }) => filters), ...hidden) as Filters,
    present: (row) => {
      const record: Row = {};
      for (const attribute of attributes) record[attribute.name] = attribute.present(row);
      return record;
    },
  };
}

type AttributeParts = Omit<Attribute, 'name' | 'writable'>;

function computedAttribute<Entity>(table: string, { from, present }: ComputedAttribute<Entity>): AttributeParts {
  return { columns: join(from.map((column) => raw(`${table}.${column}`))), filters: {}, present };
}

function columnAttribute(
  entity: Type,
  table: string,
  name: string,
  { column, filter }: ColumnAttribute,
): AttributeParts {
  const kind = findColumn(entity, name)?.kind;
  if (!kind) throw new Error(`${entity.name} has no column ${name}`);
  const read = { json: parseJson, timestamp: toIsoTimestamp, scalar: (value: unknown) => value }[kind];
  return {
    columns: column ? sql`${column} AS ${raw(name)}` : raw(`${table}.${name}`),
    filters: filter?.(filteredColumn(entity, table, name, column)) ?? {},
    present: (row) => read(row[name]),
  };
}

function filteredColumn(entity: Type, table: string, name: string, column = raw(`${table}.${name}`)) {
  return { name, column, nullable: findColumn(entity, name)?.nullable ?? false };
}

/**
 * @returns the OpenAPI model, with the entity's schema for shown columns, and the given schema for computed attributes
 */
function modelOf<Entity extends object>(
  entity: Type<Entity>,
  attributes: [name: string, attribute: ColumnAttribute | ComputedAttribute<Entity>][],
): Type {
  const columns = attributes.flatMap(([name, attribute]) => ('from' in attribute ? [] : [name as keyof Entity]));
  class Model extends (PickType(entity, columns) as Type<object>) {}
  for (const [name, attribute] of attributes) {
    if ('from' in attribute) ApiProperty(attribute.schema)(Model.prototype, name);
  }
  Object.defineProperty(Model, 'name', { value: entity.name });
  return Model;
}

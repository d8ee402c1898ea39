import sql, { type Sql } from 'sql-template-tag';
import { inList } from '../../database/dialect.js';
import { messages } from '../../errors/errors.js';
import { booleanOf, textOf } from '../../metadata/client-values.js';
import { toMsisdn } from '../../phone-numbers/msisdn.js';
import { type ColumnFilter, FilterError } from './filter.js';

// Filters on plain attributes. Except for booleans, they accept several values, separated by commas.

/** The most values of one filter. Both databases compare this many quickly. */
const MAX_VALUES = 5_000;

/** Matches a text that equals one of the values. */
export function textFilter(example: string): ColumnFilter {
  return ({ name, column }) => ({
    [name]: {
      schema: { type: 'string', example },
      condition: (value) => equalsAny(column, parseValues(value, name)),
    },
  });
}

/** Matches a text that equals one of the values, each of which must be in `allowed`. */
export function choiceFilter(allowed: readonly string[]): ColumnFilter {
  return ({ name, column }) => ({
    [name]: {
      schema: { type: 'string', description: `One or more of ${allowed.join(', ')}`, example: allowed[0] },
      condition: (value) => {
        const given = parseValues(value, name);
        const unknown = given.find((one) => !allowed.includes(one));
        if (unknown !== undefined) throw new FilterError(name, `must be among ${allowed.join(', ')}`);
        return equalsAny(column, given);
      },
    },
  });
}

/** Matches a boolean expression. Accepts one value, in any spelling of a boolean. */
export const booleanFilter: ColumnFilter = ({ name, column }) => ({
  [name]: {
    schema: { type: 'string', enum: ['true', 'false'], example: 'true' },
    condition: (value) => {
      const wanted = booleanOf(value);
      if (wanted === undefined) throw new FilterError(name, messages.mustBeBoolean);
      return wanted ? column : sql`NOT ${column}`;
    },
  },
});

/** Matches an id. On a nullable column, a filter without a value matches null. */
export const idFilter: ColumnFilter = ({ name, column, nullable }) => ({
  [name]: {
    schema: { type: 'string', example: '1' },
    condition: (value) => {
      if (nullable && value === null) return sql`${column} IS NULL`;
      const given = parseValues(value, name);
      if (!given.every((one) => /^\d+$/.test(one)))
        throw new FilterError(name, 'must be an id, or ids separated by commas');
      // No row has an id that is not a safe integer.
      return equalsAny(column, given.map(Number).filter(Number.isSafeInteger));
    },
  },
});

/** Matches a whole number that is not negative. */
export const countFilter: ColumnFilter = ({ name, column }) => ({
  [name]: {
    schema: { type: 'string', example: '1' },
    condition: (value) => {
      const given = parseValues(value, name);
      if (!given.every((one) => /^\d{1,15}$/.test(one)))
        throw new FilterError(name, 'must be a number, or numbers separated by commas');
      return equalsAny(column, given.map(Number));
    },
  },
});

/** Matches a phone number, in any usual spelling. */
export const msisdnFilter: ColumnFilter = ({ name, column }) => ({
  [name]: {
    schema: { type: 'string', example: '+85510202101' },
    condition: (value) => {
      const given = parseValues(value, name).map((one) => toMsisdn(one));
      if (!given.every((one) => one !== undefined))
        throw new FilterError(name, 'must be a phone number with its country code');
      return equalsAny(column, given);
    },
  },
});

/**
 * A single value uses `=`, so that an index returns the rows in its own order. Several values are one parameter,
 * because the number of parameters is limited.
 */
function equalsAny(column: Sql, given: readonly (string | number)[]): Sql {
  return given.length === 1 ? sql`${column} = ${given[0]}` : inList(column, given);
}

function parseValues(value: unknown, name: string): string[] {
  const text = typeof value === 'boolean' ? undefined : textOf(value);
  if (text === undefined) throw new FilterError(name, 'must be a text');
  const given = text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (given.length === 0) throw new FilterError(name, 'must have a value');
  if (given.length > MAX_VALUES) throw new FilterError(name, `has more than ${MAX_VALUES} values`);
  return given;
}

import sql, { type Sql, raw } from 'sql-template-tag';
import { among } from '../../database/dialect.js';
import { messages } from '../../http/errors.js';
import { booleanOf, textOf } from '../../metadata/client-values.js';
import { toMsisdn } from '../../phone-numbers/msisdn.js';
import { type Filter, FilterError } from './filter.js';

// Filters on plain attributes. Each takes several values, separated by commas.

/** As many values as either database compares with without trouble. */
const MOST_VALUES = 5_000;

/** Exactly one of the texts. */
export function textFilter(column: Sql, example: string): Filter {
  return {
    schema: { type: 'string', example },
    condition: (value, name) => oneOf(column, values(value, name)),
  };
}

/** Exactly one of `allowed`. */
export function choiceFilter(column: Sql, allowed: readonly string[]): Filter {
  return {
    schema: { type: 'string', description: `One or more of ${allowed.join(', ')}`, example: allowed[0] },
    condition: (value, name) => {
      const given = values(value, name);
      const unknown = given.find((one) => !allowed.includes(one));
      if (unknown !== undefined) throw new FilterError(name, `must be among ${allowed.join(', ')}`);
      return oneOf(column, given);
    },
  };
}

/** True or false, in any spelling of a boolean. */
export function yesOrNoFilter(condition: (yes: boolean) => Sql): Filter {
  return {
    schema: { type: 'string', enum: ['true', 'false'], example: 'true' },
    condition: (value, name) => {
      const yes = booleanOf(value);
      if (yes === undefined) throw new FilterError(name, messages.mustBeBoolean);
      return condition(yes);
    },
  };
}

/** A row's id. With `nullable`, a filter that has no value finds the rows that refer to nothing. */
export function idFilter(column: string, { nullable = false } = {}): Filter {
  return {
    schema: { type: 'string', example: '1' },
    condition: (value, name) => {
      if (nullable && value === null) return sql`${raw(column)} IS NULL`;
      const given = values(value, name);
      if (!given.every((one) => /^\d+$/.test(one)))
        throw new FilterError(name, 'must be an id, or ids separated by commas');
      // A number that is too large to be an id names nothing.
      return oneOf(raw(column), given.map(Number).filter(Number.isSafeInteger));
    },
  };
}

/** A phone number in any usual spelling. */
export function msisdnFilter(column: string): Filter {
  return {
    schema: { type: 'string', example: '+85510202101' },
    condition: (value, name) => {
      const given = values(value, name).map((one) => toMsisdn(one));
      if (!given.every((one) => one !== undefined))
        throw new FilterError(name, 'must be a phone number with its country code');
      return oneOf(raw(column), given);
    },
  };
}

/**
 * One value is compared as it is, so that an index serves it in its order. Any number of them is one parameter: a
 * statement takes only so many.
 */
function oneOf(column: Sql, given: readonly (string | number)[]): Sql {
  return given.length === 1 ? sql`${column} = ${given[0]}` : among(column, given);
}

function values(value: unknown, name: string): string[] {
  const text = typeof value === 'boolean' ? undefined : textOf(value);
  if (text === undefined) throw new FilterError(name, 'must be a text');
  const given = text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (given.length === 0) throw new FilterError(name, 'must have a value');
  if (given.length > MOST_VALUES) throw new FilterError(name, `has more than ${MOST_VALUES} values`);
  return given;
}

import sql, { type Sql, join, raw } from 'sql-template-tag';
import { greatest, isPostgres, least, secondsFromNow } from '../../database/dialect.js';
import type { Transaction } from '../../database/transaction.js';
import { type FieldErrors, messages } from '../../errors/errors.js';
import { textOf } from '../../metadata/client-values.js';
import type { Metadata } from '../../metadata/metadata.js';
import { phoneCallStatuses } from '../../phone-calls/phone-call.machine.js';
import type { ListedTable } from './listed-resources.js';

const NUMBERS = ['limit', 'max', 'max_per_period', 'max_per_period_hours'];
const ATTRIBUTES = ['remotely_queued_at', 'created_at', 'updated_at'];
const DEFAULT_HOURS = 24;
/** A hundred years. No database can represent arbitrarily early times. */
const MAX_HOURS = 876_000;

/** The names of the parameters that limit how many rows a batch operation touches. */
export const limitParameters = [...NUMBERS, 'max_per_period_timestamp_attribute', 'max_per_period_statuses'];

/** @returns the errors of the limits among the parameters, by name */
export function limitErrors(parameters: Metadata): FieldErrors {
  const errors: FieldErrors = {};
  for (const name of NUMBERS) {
    const value = parameters[name];
    if (value !== undefined && toWholeNumber(value) === undefined) errors[name] = ['must be a whole number'];
  }
  if ((toWholeNumber(parameters.max_per_period_hours) ?? 0) > MAX_HOURS) {
    errors.max_per_period_hours = [`must be at most ${MAX_HOURS}`];
  }
  const { max_per_period_timestamp_attribute: attribute } = parameters;
  if (attribute !== undefined && !attributeOf(parameters)) {
    errors.max_per_period_timestamp_attribute = [messages.notIncluded];
  }
  if (statusesOf(parameters)?.some((status) => !(phoneCallStatuses as readonly string[]).includes(status))) {
    errors.max_per_period_statuses = [messages.notIncluded];
  }
  return errors;
}

/** Whether the parameters limit how many rows the operation touches. */
export function isLimited({ parameters }: { parameters: Metadata }): boolean {
  return ['limit', 'max', 'max_per_period'].some((name) => parameters[name] !== undefined);
}

/** The key of a PostgreSQL advisory lock. The number is arbitrary, but unique in this program. */
const PERIOD_LOCK = 720_117_003;

/**
 * Returns how many rows a batch operation may still touch in the current period. Other batch operations wait until the
 * transaction ends, so two of them cannot use the same remainder.
 * @returns Infinity without `max_per_period`, and with `limit`, which overrides it
 */
export async function remainingInPeriod(transaction: Transaction, parameters: Metadata): Promise<number> {
  const left = remainingInPeriodSql(parameters);
  if (!left || toWholeNumber(parameters.limit) !== undefined) return Infinity;
  if (isPostgres) await transaction.query(sql`SELECT pg_advisory_xact_lock(${PERIOD_LOCK})`);
  const [row] = await transaction.query<{ count: number }>(sql`SELECT ${left} AS count`);
  return row!.count;
}

/**
 * Returns the condition of the rows of `table` that match `condition` and are within the limits. The number of rows is
 * `limit`; without it, the smaller of `max` and the remainder of `max_per_period` in the last `max_per_period_hours`.
 */
export function withLimits(table: ListedTable, condition: Sql, parameters: Metadata): Sql {
  if (!isLimited({ parameters })) return condition;
  const id = raw(`${table}.id`);
  return sql`${id} IN (SELECT ${id} FROM ${raw(table)} WHERE ${condition}
    ORDER BY ${id} LIMIT ${limitSql(parameters)})`;
}

function limitSql(parameters: Metadata): Sql {
  const [limit, max] = NUMBERS.map((name) => toWholeNumber(parameters[name]));
  if (limit !== undefined) return sql`${limit}`;
  const left = remainingInPeriodSql(parameters);
  if (!left) return sql`${max}`;
  return max === undefined ? left : least(raw(String(max)), left);
}

/**
 * Returns the remainder of `max_per_period`. Calls in the period count, as do queued calls and calls that may have been
 * placed (`uncertain`).
 * @returns undefined without `max_per_period`
 */
function remainingInPeriodSql(parameters: Metadata): Sql | undefined {
  const [perPeriod, hours = DEFAULT_HOURS] = ['max_per_period', 'max_per_period_hours'].map((name) =>
    toWholeNumber(parameters[name]),
  );
  if (perPeriod === undefined) return undefined;
  const attribute = raw(`counted.${attributeOf(parameters) ?? ATTRIBUTES[0]}`);
  const statuses = statusesOf(parameters);
  const among = statuses && statuses.length > 0 ? sql`AND counted.status IN (${join(statuses)})` : sql``;
  const inPeriod = sql`${attribute} > ${secondsFromNow(-3_600 * hours)} ${among}`;
  const countOf = (condition: Sql): Sql => sql`(SELECT count(*) FROM phone_calls AS counted WHERE ${condition})`;
  const outOfPeriod = sql`(${attribute} IS NULL OR NOT (${inPeriod}))`;
  const placed = countOf(inPeriod);
  const waiting = countOf(sql`counted.status = 'queued' AND ${outOfPeriod}`);
  // An uncertain call always has a `check_at`, and that column has an index.
  const uncertain = countOf(sql`counted.check_at IS NOT NULL AND counted.status = 'uncertain' AND ${outOfPeriod}`);
  return greatest(sql`0`, sql`${raw(String(perPeriod))} - ${placed} - ${waiting} - ${uncertain}`);
}

function attributeOf({ max_per_period_timestamp_attribute: given }: Metadata): string | undefined {
  return ATTRIBUTES.find((one) => one === given);
}

/** Reads statuses from a list or from one text with commas. A value that has no text becomes an invalid status. */
function statusesOf({ max_per_period_statuses: given }: Metadata): string[] | undefined {
  if (given === undefined || given === null) return undefined;
  const list: unknown[] = Array.isArray(given) ? given : (textOf(given)?.split(',') ?? [given]);
  return list.map((one) => textOf(one)?.trim() ?? 'no status').filter((one) => one !== '');
}

/** Reads a whole number from 0 on; a text of digits, as in forms, counts as one. */
function toWholeNumber(value: unknown): number | undefined {
  const text = textOf(value)?.trim() ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

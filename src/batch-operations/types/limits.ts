import sql, { type Sql, join, raw } from 'sql-template-tag';
import { greatest, isPostgres, least, secondsFromNow } from '../../database/dialect.js';
import type { Transaction } from '../../database/transaction.js';
import { type FieldErrors, messages } from '../../errors/errors.js';
import { textOf } from '../../metadata/client-values.js';
import type { Metadata } from '../../metadata/metadata.js';
import { phoneCallStatuses } from '../../phone-calls/phone-call.machine.js';
import type { Listed } from './listed.js';

const NUMBERS = ['limit', 'max', 'max_per_period', 'max_per_period_hours'];
const ATTRIBUTES = ['remotely_queued_at', 'created_at', 'updated_at'];
const DEFAULT_HOURS = 24;
/** A hundred years: no database has a time before all times. */
const MOST_HOURS = 876_000;

/** The parameters that limit how many rows a batch operation touches. */
export const limitParameters = [...NUMBERS, 'max_per_period_timestamp_attribute', 'max_per_period_statuses'];

/** What is wrong with the limits among the parameters. */
export function limitErrors(parameters: Metadata): FieldErrors {
  const errors: FieldErrors = {};
  for (const name of NUMBERS) {
    const value = parameters[name];
    if (value !== undefined && wholeNumber(value) === undefined) errors[name] = ['must be a whole number'];
  }
  if ((wholeNumber(parameters.max_per_period_hours) ?? 0) > MOST_HOURS) {
    errors.max_per_period_hours = [`must be at most ${MOST_HOURS}`];
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

/** Whether the parameters limit the rows at all. */
export function isLimited({ parameters }: { parameters: Metadata }): boolean {
  return ['limit', 'max', 'max_per_period'].some((name) => parameters[name] !== undefined);
}

/** Any number that no other program takes as its advisory lock on our database. */
const PERIOD_LOCK = 720_117_003;

/**
 * How many rows a batch operation may still touch in this period; Infinity where `max_per_period` does not count. Until the transaction ends, no
 * other batch operation gets an answer: two of them cannot both use up what is left.
 */
export async function leftInPeriod(transaction: Transaction, parameters: Metadata): Promise<number> {
  const left = periodLeft(parameters);
  if (!left || wholeNumber(parameters.limit) !== undefined) return Infinity;
  if (isPostgres) await transaction.query(sql`SELECT pg_advisory_xact_lock(${PERIOD_LOCK})`);
  const [row] = await transaction.query<{ count: number }>(sql`SELECT ${left} AS count`);
  return row!.count;
}

/**
 * Of the rows of `table` for which `condition` holds, those that the limits leave: `limit`, or else the smaller of `max` and what is left of
 * `max_per_period` in the last `max_per_period_hours`.
 */
export function limited(table: Listed, condition: Sql, parameters: Metadata): Sql {
  if (!isLimited({ parameters })) return condition;
  const id = raw(`${table}.id`);
  return sql`${id} IN (SELECT ${id} FROM ${raw(table)} WHERE ${condition} ORDER BY ${id} LIMIT ${limitOf(parameters)})`;
}

function limitOf(parameters: Metadata): Sql {
  const [limit, max] = NUMBERS.map((name) => wholeNumber(parameters[name]));
  if (limit !== undefined) return sql`${limit}`;
  const left = periodLeft(parameters);
  if (!left) return sql`${max}`;
  return max === undefined ? left : least(raw(String(max)), left);
}

/**
 * What is left of `max_per_period`: calls of the period count, and so do queued calls and calls that may have been
 * placed (`uncertain`). Undefined without it.
 */
function periodLeft(parameters: Metadata): Sql | undefined {
  const [perPeriod, hours = DEFAULT_HOURS] = ['max_per_period', 'max_per_period_hours'].map((name) =>
    wholeNumber(parameters[name]),
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

/** The statuses as a list, or as one text with commas; what has no text is no status. */
function statusesOf({ max_per_period_statuses: given }: Metadata): string[] | undefined {
  if (given === undefined || given === null) return undefined;
  const list: unknown[] = Array.isArray(given) ? given : (textOf(given)?.split(',') ?? [given]);
  return list.map((one) => textOf(one)?.trim() ?? 'no status').filter((one) => one !== '');
}

/** A whole number that is not negative, also as a form writes it. */
function wholeNumber(value: unknown): number | undefined {
  const text = textOf(value)?.trim() ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

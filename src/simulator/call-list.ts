import { DateTime } from 'luxon';
import type { SimulatedCall } from './simulated-call.js';
import { invalidRequest } from './twilio-error.js';

const MAX_PAGE_SIZE = 1_000;

/** The values of the filter `Status`. Source: Twilio's OpenAPI document, `call_enum_status`. */
const STATUSES = ['queued', 'ringing', 'in-progress', 'canceled', 'completed', 'failed', 'busy', 'no-answer'];

type Filter = (call: SimulatedCall) => boolean;

/**
 * Returns a page of calls as Twilio's list resource.
 * @param calls all calls, newest first
 * @param query Twilio's parameters; unknown ones are ignored
 * @throws TwilioError if a parameter is invalid
 */
export function listCalls(calls: SimulatedCall[], query: URLSearchParams, accountSid: string): Record<string, unknown> {
  const size = readWholeNumber(query, 'PageSize', 50);
  if (size < 1) throw invalidRequest('PageSize must be at least 1');
  if (size > MAX_PAGE_SIZE) throw invalidRequest('Page size too large', 20007);
  const page = readWholeNumber(query, 'Page', 0);
  const filters = readFilters(query);
  const { calls: shown, isLast } = selectPage(
    calls,
    (call) => filters.every((matches) => matches(call)),
    query,
    page,
    size,
  );
  const uri = (number: number, token?: string): string => {
    const parameters = new URLSearchParams(query);
    parameters.delete('PageToken');
    parameters.set('PageSize', String(size));
    parameters.set('Page', String(number));
    if (token) parameters.set('PageToken', token);
    return `/2010-04-01/Accounts/${accountSid}/Calls.json?${parameters.toString()}`;
  };
  const [first, last] = [shown[0], shown.at(-1)];
  return {
    calls: shown.map((call) => call.toResource()),
    page,
    page_size: size,
    start: page * size,
    end: Math.max(0, page * size + shown.length - 1),
    uri: uri(page, query.get('PageToken') ?? undefined),
    first_page_uri: uri(0),
    next_page_uri: isLast || !last ? null : uri(page + 1, `PA${last.sid}`),
    previous_page_uri: page > 0 ? uri(page - 1, first && `PB${first.sid}`) : null,
  };
}

/** Selects a page: the one after (`PA`) or before (`PB`) the call in `PageToken`, or the one with the number `page`. */
function selectPage(calls: SimulatedCall[], matches: Filter, query: URLSearchParams, page: number, size: number) {
  const token = query.get('PageToken');
  if (!token) {
    const found = calls.filter(matches);
    return { calls: found.slice(page * size, (page + 1) * size), isLast: found.length <= (page + 1) * size };
  }
  const [, side, sid] = /^P([AB])(CA[\da-f]{32})$/.exec(token) ?? [];
  const position = calls.findIndex((call) => call.sid === sid);
  if (position === -1) throw invalidRequest('Invalid PageToken', 21481);
  if (side === 'A') {
    const found = calls.slice(position + 1).filter(matches);
    return { calls: found.slice(0, size), isLast: found.length <= size };
  }
  return { calls: calls.slice(0, position).filter(matches).slice(-size), isLast: false };
}

/**
 * As Twilio documents the two times, a call that was not dialed has no start, and one that was not answered has no end.
 */
function readFilters(query: URLSearchParams): Filter[] {
  const filters: Filter[] = [];
  const add = (name: string, filter: (value: string) => Filter): void => {
    const value = query.get(name);
    if (value) filters.push(filter(value));
  };
  add(
    'To',
    (to) =>
      ({ request }) =>
        request.to === to,
  );
  add(
    'From',
    (from) =>
      ({ request }) =>
        request.from === from,
  );
  // No simulated call has a parent.
  add('ParentCallSid', () => () => false);
  add('Status', (status) => {
    if (!STATUSES.includes(status)) throw invalidRequest(`Status ${status} is not a status of a call`);
    return (call) => call.status === status;
  });
  for (const [name, timeOf] of [
    ['StartTime', (call: SimulatedCall) => call.startTime],
    ['EndTime', (call: SimulatedCall) => call.endTime],
  ] as const) {
    const byTime = (suffix: string, compare: (time: DateTime, value: DateTime) => boolean): void =>
      add(`${name}${suffix}`, (text) => {
        const value = readTime(`${name}${suffix}`, text);
        return (call) => {
          const time = timeOf(call)?.startOf('second');
          return time !== undefined && compare(time, value);
        };
      });
    byTime('', (time, value) => time.hasSame(value, 'day'));
    byTime('>', (time, value) => time >= value);
    byTime('<', (time, value) => time < value);
  }
  return filters;
}

/**
 * Reads a time, to the second, which is the precision that a call shows. A date stands for the start of its day in UTC.
 */
function readTime(name: string, text: string): DateTime {
  const parsed = [DateTime.fromISO, DateTime.fromSQL, DateTime.fromRFC2822].map((parse) =>
    parse(text, { zone: 'utc' }),
  );
  const time = parsed.find(({ isValid }) => isValid);
  if (!time) throw invalidRequest(`${name} is not a date such as 2009-07-06`);
  return time.startOf('second');
}

function readWholeNumber(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name) || String(fallback);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidRequest(`${name} must be a whole number`);
}

import { DateTime } from 'luxon';

/** A day, or an instant. */
export interface Span {
  start: DateTime;
  /** Exclusive. Absent for an instant, which has no length. */
  end?: DateTime;
}

const DATE = String.raw`(\d{4})-(\d\d)-(\d\d)|(\d{4})(\d\d)(\d\d)`;
const TIME = String.raw`(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?`;
/** In a URL an offset's plus sign arrives as a space unless it was encoded. */
const ZONE = String.raw`Z|UTC|GMT|([-+ ])(\d\d)(?::?(\d\d))?`;
const ISO = new RegExp(`^(?:${DATE})(?:[T ]${TIME} ?(?:${ZONE})?)?$`, 'i');

/**
 * Reads an ISO 8601 date or timestamp, in the extended or the basic format, `T` or a space between date and time, with
 * or without zone (none is UTC). Undefined for anything else, such as a day that no calendar has or an offset that no
 * clock has.
 */
export function readTime(text: string): Span | undefined {
  const match = ISO.exec(text.trim());
  if (!match) return undefined;
  const [
    ,
    y1,
    m1,
    d1,
    y2,
    m2,
    d2,
    hour,
    minute = '00',
    second = '00',
    fraction = '0',
    sign,
    zoneHour,
    zoneMinute = '00',
  ] = match;
  const date = `${y1 ?? y2}-${m1 ?? m2}-${d1 ?? d2}`;
  if (Number(zoneHour ?? 0) > 23 || Number(zoneMinute) > 59) return undefined;
  const offset = zoneHour === undefined ? 'Z' : `${sign === '-' ? '-' : '+'}${zoneHour}:${zoneMinute}`;
  const iso = hour === undefined ? date : `${date}T${hour}:${minute}:${second}.${fraction}${offset}`;
  const start = DateTime.fromISO(iso, { zone: 'utc' });
  if (!start.isValid || start.year < 1) return undefined;
  return hour === undefined ? { start, end: start.plus({ days: 1 }) } : { start };
}

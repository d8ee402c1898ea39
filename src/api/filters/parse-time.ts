import { DateTime } from 'luxon';

/** The latest time with a year of four digits. */
const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A day or an instant. */
export interface TimeSpan {
  start: DateTime;
  /** Exclusive. Absent for an instant. */
  end?: DateTime;
}

const DATE = String.raw`(\d{4})-(\d\d)-(\d\d)|(\d{4})(\d\d)(\d\d)`;
const TIME = String.raw`(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?`;
/** The plus sign of an offset is a space when a URL does not encode it. */
const ZONE = String.raw`Z|UTC|GMT|([-+ ])(\d\d)(?::?(\d\d))?`;
const ISO = new RegExp(`^(?:${DATE})(?:[T ]${TIME} ?(?:${ZONE})?)?$`, 'i');

/**
 * Parses an ISO 8601 date or timestamp, in the extended or the basic format, with `T` or a space between date and time,
 * and with or without a zone (UTC is the default).
 * @returns undefined for anything else, such as February 30 or an offset of 25 hours
 */
export function parseTime(text: string): TimeSpan | undefined {
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

/** @returns the format that SQLite stores and compares as text. Years after 9999 would have another format. */
export function formatTime(time: DateTime): string {
  return new Date(Math.min(time.toMillis(), MAX_TIME)).toISOString();
}

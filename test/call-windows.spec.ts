import { describe, expect, it } from 'vitest';
import {
  type CallWindow,
  closesAt,
  isOpen,
  longestOpening,
  mayRing,
  minuteOfDay,
  nextOpening,
  readCallWindows,
  zoneOf,
} from '../src/dial-plans/call-windows.js';

/** The openings that begin in the 4 days after an instant, in UTC, such as `03-28T07:00 03-28T19:00`. */
function openingsAfter(start: string, zone: string, ...windows: CallWindow[]): string[] {
  const compiled = readCallWindows(windows);
  const openings: string[] = [];
  const end = Date.parse(start) + 4 * 86_400_000;
  for (let at: Date | null | undefined = new Date(start); at;) {
    const opens = nextOpening(compiled, zone, at);
    if (!opens || opens.getTime() >= end) break;
    at = closesAt(compiled, zone, opens);
    openings.push([opens, at].map((time) => time?.toISOString().slice(5, 16) ?? 'never').join(' '));
  }
  return openings;
}

function window(times: string, ...days: NonNullable<CallWindow['days']>): CallWindow {
  const [from, to] = times.split('-') as [string, string];
  return { from, to, ...(days.length > 0 && { days }) };
}

describe('call windows', () => {
  it('keep the local time when the clocks are set forward and back', () => {
    expect(openingsAfter('2026-03-28T00:00Z', 'Europe/Berlin', window('08:00-20:00'))).toEqual([
      '03-28T07:00 03-28T19:00',
      '03-29T06:00 03-29T18:00',
      '03-30T06:00 03-30T18:00',
      '03-31T06:00 03-31T18:00',
    ]);
    expect(openingsAfter('2026-10-24T00:00Z', 'Europe/Berlin', window('08:00-20:00')).slice(0, 2)).toEqual([
      '10-24T06:00 10-24T18:00',
      '10-25T07:00 10-25T19:00',
    ]);
  });

  it('open and close right after the gap for times in it', () => {
    const sunday = '2026-03-29T00:00Z';
    expect(openingsAfter(sunday, 'Europe/Berlin', window('02:30-03:30', 'sun'))).toEqual(['03-29T01:00 03-29T01:30']);
    expect(openingsAfter(sunday, 'Europe/Berlin', window('01:00-02:30', 'sun'))).toEqual(['03-29T00:00 03-29T01:00']);
    expect(openingsAfter(sunday, 'Europe/Berlin', window('02:15-02:45', 'sun'))).toEqual([]);
    expect(openingsAfter('2026-10-03T00:00Z', 'Australia/Lord_Howe', window('02:10-02:40', 'sun'))).toEqual([
      '10-03T15:30 10-03T15:40',
    ]);
  });

  it('open at the first and close at the second of times that come twice', () => {
    const sunday = '2026-10-24T22:00Z';
    expect(openingsAfter(sunday, 'Europe/Berlin', window('02:30-02:45', 'sun'))).toEqual(['10-25T00:30 10-25T01:45']);
    expect(openingsAfter(sunday, 'Europe/Berlin', window('01:00-02:00', 'sun'))).toEqual(['10-24T23:00 10-25T01:00']);
    expect(openingsAfter(sunday, 'Europe/Berlin', window('03:00-04:00', 'sun'))).toEqual(['10-25T02:00 10-25T03:00']);
  });

  it('follow clocks that are set at midnight', () => {
    // 00:00 to 01:00 is skipped on 24 April, and 23:00 to 24:00 comes twice on 29 October.
    expect(openingsAfter('2026-04-23T12:00Z', 'Africa/Cairo', window('22:00-00:30')).slice(0, 2)).toEqual([
      '04-23T20:00 04-23T22:00',
      '04-24T19:00 04-24T21:30',
    ]);
    expect(openingsAfter('2026-10-29T12:00Z', 'Africa/Cairo', window('23:30-23:45')).slice(0, 2)).toEqual([
      '10-29T20:30 10-29T21:45',
      '10-30T21:30 10-30T21:45',
    ]);
  });

  it('are not open on a date that a zone skips', () => {
    expect(openingsAfter('2011-12-29T12:00Z', 'Pacific/Apia', window('08:00-20:00')).slice(0, 2)).toEqual([
      '12-29T18:00 12-30T06:00',
      '12-30T18:00 12-31T06:00',
    ]);
    expect(openingsAfter('2011-12-29T12:00Z', 'Pacific/Apia', window('08:00-20:00', 'fri'))).toEqual([]);
  });

  it('belong to the day on which they begin when they cross midnight', () => {
    expect(openingsAfter('2026-06-05T12:00Z', 'UTC', window('22:00-02:00', 'sun'))).toEqual([
      '06-07T22:00 06-08T02:00',
    ]);
    expect(openingsAfter('2026-06-07T23:00Z', 'UTC', window('22:00-02:00', 'sun'))).toEqual([
      '06-07T23:00 06-08T02:00',
    ]);
  });

  it('exist on 29 February', () => {
    expect(openingsAfter('2028-02-28T12:00Z', 'Asia/Phnom_Penh', window('08:00-09:00')).slice(0, 2)).toEqual([
      '02-29T01:00 02-29T02:00',
      '03-01T01:00 03-01T02:00',
    ]);
  });

  it('are one opening when they touch or overlap', () => {
    const three = [window('08:00-12:00'), window('12:00-13:00'), window('12:30-18:00')];
    expect(openingsAfter('2026-06-05T00:00Z', 'UTC', ...three)[0]).toBe('06-05T08:00 06-05T18:00');
    const overnight = [window('20:00-24:00', 'sun'), window('00:00-06:00', 'mon')];
    expect(openingsAfter('2026-06-07T00:00Z', 'UTC', ...overnight)[0]).toBe('06-07T20:00 06-08T06:00');
  });

  it('are one opening when the clocks skip the time between them', () => {
    const night = [window('22:00-02:00', 'sat'), window('03:00-08:00', 'sun')];
    expect(openingsAfter('2026-03-28T12:00Z', 'Europe/Berlin', ...night)).toEqual(['03-28T21:00 03-29T06:00']);
    expect(openingsAfter('2026-04-04T12:00Z', 'Europe/Berlin', ...night)).toHaveLength(2);
  });

  it('never close when they cover the week', () => {
    const instant = new Date('2026-03-29T01:00Z');
    for (const windows of [
      [],
      [window('00:00-24:00')],
      [window('00:00-12:00'), window('12:00-00:00')],
      [window('06:00-05:00'), window('04:30-06:30')],
    ]) {
      expect(readCallWindows(windows)).toBe('always');
    }
    expect(closesAt('always', 'UTC', instant)).toBeNull();
    expect(nextOpening('always', 'UTC', instant, 86_400)).toEqual(instant);
    expect(readCallWindows([window('00:00-23:59')])).not.toBe('always');
  });

  it('never open without days', () => {
    const never = readCallWindows([{ from: '08:00', to: '20:00', days: [] }]);
    const instant = new Date('2026-06-05T12:00Z');
    expect(isOpen(never, 'UTC', instant)).toBe(false);
    expect(nextOpening(never, 'UTC', instant)).toBeUndefined();
    expect(closesAt(never, 'UTC', instant)).toBeUndefined();
    expect(longestOpening(never)).toBe(0);
  });

  it('are half-open', () => {
    const windows = readCallWindows([window('08:00-20:00')]);
    const at = (time: string): boolean => isOpen(windows, 'UTC', new Date(`2026-06-05T${time}Z`));
    expect(['07:59:59.999', '08:00:00.000', '19:59:59.999', '20:00:00.000'].map(at)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('permit no dial that would still ring when they close', () => {
    const windows = readCallWindows([window('08:00-20:00')]);
    const at = (time: string): Date => new Date(`2026-06-05T${time}Z`);
    expect(mayRing(windows, 'UTC', at('19:59:00'), 60)).toBe(true);
    expect(mayRing(windows, 'UTC', at('19:59:00.001'), 60)).toBe(false);
    expect(nextOpening(windows, 'UTC', at('19:59:30'), 60)).toEqual(new Date('2026-06-06T08:00Z'));
    expect(nextOpening(windows, 'UTC', at('12:00'), 13 * 3_600)).toBeUndefined();
  });

  it('are decided much faster for local times that were seen before', () => {
    const windows = readCallWindows([window('08:00-12:00'), window('13:00-20:00', 'mon', 'tue', 'sat')]);
    const zones = Intl.supportedValuesOf('timeZone').slice(0, 50);
    const measure = (): number => {
      const start = performance.now();
      for (const zone of zones) nextOpening(windows, zone, new Date('2027-06-05T21:30Z'), 60);
      return performance.now() - start;
    };
    const first = measure();
    const others = Array.from({ length: 50 }, measure);
    expect(Math.min(...others) * 30).toBeLessThan(first);
  });
});

describe('minuteOfDay', () => {
  it('reads times of the day', () => {
    expect(['00:00', '08:30', '23:59', '24:00'].map(minuteOfDay)).toEqual([0, 510, 1_439, 1_440]);
  });

  it.each(['24:01', '25:00', '8:00', '08:60', '08:00:00', '0800', '', 800, null, undefined])('refuses %j', (time) => {
    expect(minuteOfDay(time)).toBeUndefined();
  });
});

describe('zoneOf', () => {
  it('is the own zone of a contact, if it is one', () => {
    expect(zoneOf('asia/phnom_penh', 'UTC')).toBe('Asia/Phnom_Penh');
    expect(zoneOf('Asia/Kolkata', 'UTC')).toBe('Asia/Kolkata');
  });

  it.each([undefined, null, '', 'Cambodia', '+07:00', 'BST', 7, {}, ['Asia/Bangkok']])('is not %j', (value) => {
    expect(zoneOf(value, 'Asia/Bangkok')).toBe('Asia/Bangkok');
  });
});

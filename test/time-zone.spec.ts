import { describe, expect, it } from 'vitest';
import { timeZoneOf } from '../src/time-zones/time-zone.js';

describe('timeZoneOf', () => {
  it('reads every zone that the runtime knows, in any case', () => {
    const zones = Intl.supportedValuesOf('timeZone');
    expect(zones.map(timeZoneOf)).toEqual(zones);
    expect(zones.map((zone) => timeZoneOf(zone.toLowerCase()))).toEqual(zones);
    expect(zones.map((zone) => timeZoneOf(` ${zone.toUpperCase()}\n`))).toEqual(zones);
  });

  it.each(['UTC', 'Asia/Kolkata', 'Asia/Calcutta', 'US/Pacific', 'EST5EDT', 'Etc/GMT+5', 'America/Indiana/Knox'])(
    'reads %s',
    (name) => {
      expect(timeZoneOf(name)).toBe(name);
    },
  );

  it.each([
    '+07:00',
    '-0700',
    'Z',
    'UTC+7',
    'BST',
    'IST',
    'PST',
    'Asia',
    'Asia/',
    'Asia/Phnom Penh',
    '2026-01-01T00:00[Asia/Bangkok]',
    '[Asia/Bangkok]',
    'x'.repeat(10_000),
    '',
    7,
    null,
    undefined,
    ['UTC'],
  ])('refuses %j', (value) => {
    expect(timeZoneOf(value)).toBeUndefined();
  });
});

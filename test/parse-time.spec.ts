import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTime } from '../src/api/filters/parse-time.js';

const instant = (text: string) => parseTime(text)?.start.toJSDate().toISOString();

describe('a time', () => {
  it.each([
    ['2017-11-29T04:58:03.684Z', '2017-11-29T04:58:03.684Z'],
    ['2017-11-29 00:00:00 UTC', '2017-11-29T00:00:00.000Z'],
    ['2017-11-29 00:00:00 utc', '2017-11-29T00:00:00.000Z'],
    ['2017-11-29 04:58', '2017-11-29T04:58:00.000Z'],
    ['2017-11-29T04:58:03,684', '2017-11-29T04:58:03.684Z'],
    ['20171129T045803Z', '2017-11-29T04:58:03.000Z'],
    ['20171129T045803.684+0700', '2017-11-28T21:58:03.684Z'],
    ['20171129T0458', '2017-11-29T04:58:00.000Z'],
    ['2017-11-29T04:58:03+07:00', '2017-11-28T21:58:03.000Z'],
    ['2017-11-29T04:58:03 07:00', '2017-11-28T21:58:03.000Z'],
    ['2017-11-29 04:58:03 +0700', '2017-11-28T21:58:03.000Z'],
    ['2017-11-29T04:58:03-07', '2017-11-29T11:58:03.000Z'],
    ['2016-12-31T23:59:59+23:59', '2016-12-31T00:00:59.000Z'],
  ])('%s is an instant', (text, expected) => {
    expect(instant(text)).toBe(expected);
    expect(parseTime(text)?.end).toBeUndefined();
  });

  it.each(['2017-11-29', '20171129', ' 2017-11-29 '])('%j is a whole day', (text) => {
    const { start, end } = parseTime(text)!;
    expect([start.toISODate(), end?.toISODate()]).toEqual(['2017-11-29', '2017-11-30']);
  });

  it.each([
    '2017-11-29T00:00:00+99:99',
    '2017-11-29T00:00:00+24:00',
    '2017-11-29T00:00:00+07:60',
    '2017-11-29T00:00:00+7',
    '2017-11-29T25:00',
    '2017-11-29T00:60',
    '2017-11-31',
    '2017-13-01',
    '0000-01-01',
    '2017-1129',
    '2017-11',
    '2017',
    '1511913600',
    '2017-11-29T',
    '2017-11-29 UTC',
    'yesterday',
    '',
  ])('%j is not a time', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  it('is parsed to the same instant in every format', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true }),
        (date) => {
          const iso = date.toISOString();
          for (const text of [
            iso,
            iso.replace('T', ' '),
            iso.replace('Z', ' UTC'),
            iso.replaceAll(/[-:]/g, ''),
            iso.replace('Z', '+00:00'),
            iso.slice(0, -1),
          ]) {
            expect(instant(text)).toBe(iso);
          }
        },
      ),
    );
  });
});

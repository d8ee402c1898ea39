import { Ajv } from 'ajv';
import { assert, jsonValue, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dialPlanErrors, dialPlanSchema, readGivenDialPlan } from '../src/dial-plans/dial-plan-errors.js';
import { readDialPlan } from '../src/dial-plans/dial-plan.js';
import type { Metadata } from '../src/metadata/metadata.js';
import { readRemoteRequestParams, remoteRequestParamsError } from '../src/phone-calls/remote-request-params.js';
import { nestParameters } from '../src/server/nested-parameters.js';

const params = { read: readRemoteRequestParams, error: remoteRequestParamsError };
const FROM = { remote_request_params: { from: '2442' } };

/** A plan with every key. */
const FULL = {
  remote_request_params: { from: '2442', timeout: 30 },
  until: 'confirmed',
  max_attempts: 5,
  retries: { busy: { max: 3, after: [120, 300] }, failed: { max: 0 } },
  call_windows: [
    { days: ['mon', 'fri'], from: '08:00', to: '20:00' },
    { from: '22:00', to: '02:00' },
  ],
  time_zone: 'Asia/Phnom_Penh',
  time_zone_key: 'zone',
  max_calls_in_flight: 10,
  calls_per_second: 0.5,
};

function read(given: unknown): unknown {
  return readGivenDialPlan(given, params);
}

function errorsOf(given: unknown): string[] {
  return dialPlanErrors(read(given), params);
}

describe('a dial plan of a client', () => {
  it('is stored as it is', () => {
    expect(errorsOf(FROM)).toEqual([]);
    expect(errorsOf(FULL)).toEqual([]);
    expect(read(FULL)).toEqual(FULL);
  });

  it('is described by the schema of the OpenAPI document, with all its keys', () => {
    const matches = new Ajv().compile(dialPlanSchema);
    for (const plan of [FROM, FULL]) expect([matches(plan), matches.errors]).toEqual([true, null]);
    expect(Object.keys(dialPlanSchema.properties ?? {})).toEqual(Object.keys(FULL));
    for (const wrong of [{}, { ...FROM, until: 'x' }, { ...FROM, retries: { busy: { after: [1] } } }]) {
      expect([matches(wrong), errorsOf(wrong)]).toEqual([false, [expect.any(String)]]);
    }
  });

  it('is stored with numbers and lists if it comes from a form', () => {
    const form = nestParameters(
      [
        ['plan[remote_request_params][from]', '2442'],
        ['plan[remote_request_params][url]', ''],
        ['plan[until]', ' Confirmed '],
        ['plan[max_attempts]', '5'],
        ['plan[retries][busy][max]', ' 3'],
        ['plan[retries][busy][after][]', '120'],
        ['plan[retries][busy][after][]', '300'],
        ['plan[retries][machine][max]', '1'],
        ['plan[retries][machine][after]', '60, 90'],
        ['plan[retries][failed]', ''],
        ['plan[call_windows][][days]', 'mon,Fri'],
        ['plan[call_windows][][from]', '08:00'],
        ['plan[call_windows][][to]', '20:00'],
        ['plan[call_windows][][days]', ''],
        ['plan[call_windows][][from]', '22:00'],
        ['plan[call_windows][][to]', '02:00'],
        ['plan[time_zone]', 'asia/phnom_penh'],
        ['plan[time_zone_key]', ''],
        ['plan[calls_per_second]', '0.5'],
      ],
      { repeated: 'last' },
    ).plan;
    expect(errorsOf(form)).toEqual([]);
    expect(read(form)).toEqual({
      remote_request_params: { from: '2442' },
      until: 'confirmed',
      max_attempts: 5,
      retries: { busy: { max: 3, after: [120, 300] }, machine: { max: 1, after: [60, 90] } },
      call_windows: FULL.call_windows,
      time_zone: 'Asia/Phnom_Penh',
      calls_per_second: 0.5,
    });
  });

  it('is stored without blanks, and with objects for the empty lists of PHP', () => {
    const blanks = Object.fromEntries(Object.keys(FULL).map((key, nth) => [key, [null, '', ' '][nth % 3]]));
    expect(read({ ...blanks, ...FROM })).toEqual(FROM);
    expect(read({ ...FROM, retries: [] })).toEqual({ ...FROM, retries: {} });
    expect(read({ ...FROM, call_windows: [] })).toEqual({ ...FROM, call_windows: [] });
    expect(errorsOf({ ...FROM, retries: [], call_windows: [] })).toEqual([]);
  });

  it.each<[string, unknown, string[]]>([
    ['a text', 'plan', ['must be an object']],
    ['a list', [FROM], ['must be an object']],
    ['nothing', {}, ["remote_request_params can't be blank"]],
    ['PHP’s nothing', [], ["remote_request_params can't be blank"]],
    [
      'no from',
      { remote_request_params: { url: 'https://example.org' } },
      ["remote_request_params.from can't be blank"],
    ],
    [
      'a blank from',
      { remote_request_params: { url: 'https://example.org', from: ' ' } },
      ["remote_request_params.from can't be blank"],
    ],
    [
      'an unknown parameter',
      { remote_request_params: { from: '1', color: 'red' } },
      ['remote_request_params is not included in the list'],
    ],
    ['parameters as a text', { remote_request_params: 'from=1' }, ['remote_request_params must be an object']],
    ['too much', { ...FROM, time_zone_key: 'x'.repeat(70_000) }, ['is too large']],
  ])('is refused if it is or has %s', (_, plan, errors) => {
    expect(errorsOf(plan)).toEqual(errors);
  });

  it.each<[object, string]>([
    [{ attempts: 3 }, 'attempts is not a permitted parameter'],
    [{ constructor: 3 }, 'constructor is not a permitted parameter'],
    [{ until: 'hung_up' }, 'until must be one of answered, confirmed'],
    ...[0, 11, 1.5, '3x', '0x3', true, [], {}, 'three', '1e400'].map((max): [object, string] => [
      { max_attempts: max },
      'max_attempts must be a whole number from 1 to 10',
    ]),
    [{ retries: 'busy' }, 'retries must be an object'],
    [{ retries: { errored: { max: 1, after: [1] } } }, 'retries.errored is not a permitted parameter'],
    [{ retries: { busy: 3 } }, 'retries.busy must be an object'],
    [{ retries: { busy: {} } }, "retries.busy.max can't be blank"],
    [{ retries: { busy: { max: 11, after: [1] } } }, 'retries.busy.max must be a whole number from 0 to 10'],
    [{ retries: { busy: { max: -1, after: [1] } } }, 'retries.busy.max must be a whole number from 0 to 10'],
    [{ retries: { busy: { max: 1 } } }, "retries.busy.after can't be blank"],
    [{ retries: { busy: { max: 1, after: [] } } }, 'retries.busy.after must have 1 to 10 items'],
    [{ retries: { busy: { max: 1, after: [1], before: 1 } } }, 'retries.busy.before is not a permitted parameter'],
    [
      { retries: { busy: { max: 1, after: [60, -1] } } },
      'retries.busy.after[1] must be a whole number from 0 to 604800',
    ],
    [
      { retries: { busy: { max: 1, after: 604_801 } } },
      'retries.busy.after[0] must be a whole number from 0 to 604800',
    ],
    [{ call_windows: 'always' }, 'call_windows[0] must be an object'],
    [{ call_windows: [{ from: '08:00' }] }, "call_windows[0].to can't be blank"],
    [{ call_windows: [{ from: '8:00', to: '20:00' }] }, 'call_windows[0].from must be a time such as 08:00'],
    [{ call_windows: [{ from: '08:00', to: 2_000 }] }, 'call_windows[0].to must be a time such as 08:00'],
    [
      { call_windows: [{ from: '08:00', to: '08:00' }] },
      'call_windows[0].to must not be the same as from; the whole day is 00:00 to 24:00',
    ],
    [{ call_windows: [{ from: '24:00', to: '08:00' }] }, 'call_windows[0].from must be before 24:00'],
    [{ call_windows: [{ from: '08:00', to: '20:00', days: [] }] }, 'call_windows[0].days must have 1 to 7 items'],
    [{ call_windows: [{ from: '08:00', to: '20:00', days: [''] }] }, 'call_windows[0].days must have 1 to 7 items'],
    [
      {
        call_windows: [
          { from: '08:00', to: '20:00' },
          { from: '08:00', to: '20:00', days: ['mon', 'monday'] },
        ],
      },
      'call_windows[1].days[1] must be one of mon, tue, wed, thu, fri, sat, sun',
    ],
    [
      { call_windows: [{ from: '08:00', to: '20:00', zone: 'UTC' }] },
      'call_windows[0].zone is not a permitted parameter',
    ],
    [
      { call_windows: Array.from({ length: 101 }, () => ({ from: '08:00', to: '20:00' })) },
      'call_windows must have 0 to 100 items',
    ],
    [
      { call_windows: [{ from: '08:00', to: '08:01' }] },
      'call_windows must be open for longer than it takes to dial and ring, which is 63 seconds',
    ],
    ...['Cambodia', '+07:00', 'BST', 7].map((zone): [object, string] => [
      { time_zone: zone },
      'time_zone must be an IANA time zone such as Asia/Phnom_Penh',
    ]),
    [{ time_zone_key: 7 }, 'time_zone_key must be a text of at most 255 characters'],
    [{ time_zone_key: 'x'.repeat(256) }, 'time_zone_key must be a text of at most 255 characters'],
    [{ max_calls_in_flight: 0 }, 'max_calls_in_flight must be a whole number from 1 to 1000000'],
    [{ calls_per_second: 0 }, 'calls_per_second must be a number from 0.01 to 10000'],
    [{ calls_per_second: 'fast' }, 'calls_per_second must be a number from 0.01 to 10000'],
  ])('is refused with %j', (keys, error) => {
    expect(errorsOf({ ...FROM, ...keys })).toEqual([error]);
  });

  it('is refused with a message for each invalid key', () => {
    expect(errorsOf({ until: 'x', retries: { busy: { max: 'x' }, failed: 1 } })).toEqual([
      'until must be one of answered, confirmed',
      'retries.busy.max must be a whole number from 0 to 10',
      'retries.failed must be an object',
      "remote_request_params can't be blank",
    ]);
  });

  it('is read again as it was read first, and never fails, whatever it is', () => {
    const plans = record(Object.fromEntries([...Object.keys(FULL), 'other'].map((key) => [key, jsonValue()])), {
      requiredKeys: [],
    });
    assert(
      property(plans, (given) => {
        const once = read(given);
        expect(read(once)).toEqual(once);
        expect(dialPlanErrors(once, params)).toEqual(errorsOf(once));
      }),
      { numRuns: 500 },
    );
  });
});

describe('readDialPlan', () => {
  const settings = { timeZone: 'Asia/Phnom_Penh' };

  it('has the defaults of the contract', () => {
    expect(readDialPlan(FROM, settings)).toEqual({
      remoteRequestParams: FROM.remote_request_params,
      until: 'answered',
      maxAttempts: 3,
      retries: {
        busy: { max: 3, after: [120, 300] },
        not_answered: { max: 2, after: [900] },
        machine: { max: 2, after: [1_800] },
        failed: { max: 1, after: [900] },
        answered: { max: 2, after: [1_800] },
      },
      callWindows: 'always',
      timeZone: 'Asia/Phnom_Penh',
      ringSeconds: 60,
    });
  });

  it('has what the client wrote', () => {
    expect(readDialPlan({ ...FULL, time_zone: 'UTC' }, settings)).toMatchObject({
      until: 'confirmed',
      maxAttempts: 5,
      retries: { busy: { max: 3, after: [120, 300] }, failed: { max: 0, after: [] } },
      timeZone: 'UTC',
      timeZoneKey: 'zone',
      ringSeconds: 30,
      maxCallsInFlight: 10,
      callsPerSecond: 0.5,
    });
  });

  it.each<[unknown, number]>([
    [25, 25],
    ['25', 25],
    [undefined, 60],
    ['soon', 60],
    [0, 60],
    [[10], 60],
  ])('with timeout %j rings for %i s', (timeout, seconds) => {
    const stored: Metadata = { remote_request_params: { from: '2442', timeout } };
    expect(readDialPlan(stored, settings).ringSeconds).toBe(seconds);
  });
});

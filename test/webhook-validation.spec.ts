// cspell:ignore Countr Directioni nbound ioninbound Directioninbound
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnusableWebhookError } from '../src/errors/errors.js';
import { readWebhookForm } from '../src/webhooks/webhook-form.js';
import { assertUsable } from '../src/webhooks/webhook-validation.js';

/** The parameters that decide what we do with a webhook. */
const USED = ['AnsweredBy', 'CallSid', 'CallStatus', 'CallbackSource', 'Digits', 'Direction', 'SequenceNumber'];
const usedOf = ({ Direction }: Record<string, unknown>) => (Direction === 'inbound' ? [...USED, 'From', 'To'] : USED);

const inbound = {
  AccountSid: 'AC0123456789abcdef0123456789abcdef',
  ApiVersion: '2010-04-01',
  CallSid: 'CA0123456789abcdef0123456789abcdef',
  CallStatus: 'in-progress',
  Called: '2442',
  Caller: '+85512345678',
  CallerCountry: 'DE',
  Digits: '12',
  Direction: 'inbound',
  From: '+85512345678',
  FromCountry: 'KH',
  To: '2442',
  ToCountry: 'KH',
};
const callback = {
  AccountSid: 'AC0123456789abcdef0123456789abcdef',
  AnsweredBy: 'machine_start',
  CallSid: 'CA0123456789abcdef0123456789abcdef',
  CallStatus: 'no-answer',
  CallbackSource: 'call-progress-events',
  Direction: 'outbound-api',
  From: '2442',
  SequenceNumber: '13',
  Timestamp: 'Fri, 27 Nov 2026 17:00:00 +0000',
  To: '+85512345678',
};
const urls = ['', '?asked=1&phone_call_id=57&step=12', '?phone_call_id=57'];

type Pairs = [string, string][];

const read = (pairs: Pairs) =>
  readWebhookForm(Buffer.from(pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')));
const validate = (pairs: Pairs, query: string) => {
  const { parameters, signedPairs } = read(pairs);
  const sid = assertUsable({ details: parameters, signedPairs }, new URLSearchParams(query));
  return { sid, parameters };
};

/** Returns where each name and each value ends in the signed text. The first border is the end of the URL. */
function bordersOf(query: string, pairs: Pairs): { text: string; borders: number[] } {
  const parts = [query, ...pairs.flat()];
  let at = 0;
  return { text: parts.join(''), borders: parts.map((part) => (at += part.length)) };
}

/** Splits a signed text at borders into a URL's query and pairs. */
function cut(text: string, borders: number[]): { query: string; pairs: Pairs } {
  const [start = 0, ...rest] = borders.toSorted((one, other) => one - other);
  const pairs: Pairs = [];
  let at = start;
  for (let index = 0; index < rest.length; index += 2) {
    const [middle, end] = [rest[index]!, rest[index + 1] ?? text.length];
    pairs.push([text.slice(at, middle), text.slice(middle, end)]);
    at = end;
  }
  return { query: text.slice(0, start), pairs };
}

/** Whether a split text still has the signature of the original. */
function isSignedAlike(text: string, { query, pairs }: { query: string; pairs: Pairs }): boolean {
  return query + read(pairs).signable.toString() === text;
}

/** Returns the parameters that decide what we do with a webhook; 'refused' if it is rejected. */
function outcomeOf(pairs: Pairs, query: string) {
  // Text that is added to the path leads to another route.
  if (!/^(\?|$)/.test(query)) return 'refused';
  try {
    const { parameters } = validate(pairs, query);
    const url = new URLSearchParams(query);
    return JSON.stringify([
      usedOf(parameters).map((name) => parameters[name]),
      url.get('phone_call_id'),
      url.get('step'),
    ]);
  } catch (error) {
    expect(error).toBeInstanceOf(UnusableWebhookError);
    return 'refused';
  }
}

describe.each([
  ['an inbound call', inbound],
  ['a status callback', callback],
])('a signed webhook of %s', (_, parameters) => {
  const pairs = Object.entries(parameters) as Pairs;

  it.each(urls)('is accepted unchanged (%j)', (query) => {
    expect(validate(pairs, query).sid).toBe(parameters.CallSid);
  });

  it.each(urls)('has the same meaning or is rejected if any border is moved (%j)', (query) => {
    const { text, borders } = bordersOf(query, pairs);
    const whole = outcomeOf(pairs, query);
    let alike = 0;
    for (let index = 0; index < borders.length - 1; index++) {
      for (let to = 0; to <= text.length; to++) {
        const shifted = cut(text, borders.with(index, to));
        if (!isSignedAlike(text, shifted)) continue;
        alike++;
        expect([to, shifted, outcomeOf(shifted.pairs, shifted.query)]).toEqual([
          to,
          shifted,
          expect.toBeOneOf([whole, 'refused']),
        ]);
      }
    }
    expect(alike).toBeGreaterThan(200);
  });

  it.each(urls)('has the same meaning or is rejected if parameters are joined and split (%j)', (query) => {
    const { text, borders } = bordersOf(query, pairs);
    const whole = outcomeOf(pairs, query);
    const last = borders.length - 1;
    const moves = fc.array(fc.tuple(fc.nat({ max: last }), fc.integer({ min: -25, max: 25 })), { maxLength: 3 });
    fc.assert(
      fc.property(moves, fc.uniqueArray(fc.nat({ max: last }), { maxLength: 6 }), (moved, dropped) => {
        let kept = borders.slice(0, last);
        for (const [index, by] of moved) {
          const to = Math.min(Math.max((borders[index] ?? 0) + by, 0), text.length);
          kept = kept.with(index % last, to);
        }
        const left = kept.filter((_border, index) => !dropped.includes(index));
        const shifted = cut(text, left.length % 2 === 0 ? left : [...left, text.length]);
        fc.pre(isSignedAlike(text, shifted));
        expect(outcomeOf(shifted.pairs, shifted.query)).toBeOneOf([whole, 'refused']);
      }),
      { numRuns: 1_000, maxSkipsPerRun: 500 },
    );
  });

  it.each(Object.keys(parameters))('has the same meaning or is rejected if %s is repeated', (name) => {
    const twice: Pairs = [...pairs, [name, parameters[name as keyof typeof parameters]]];
    expect(read(twice).signable).toEqual(read(pairs).signable);
    expect(outcomeOf(twice, '')).toBe(usedOf(parameters).includes(name) ? 'refused' : outcomeOf(pairs, ''));
  });
});

describe('a signed webhook', () => {
  const sent =
    (parameters: Record<string, string>, query = '') =>
    () =>
      validate(Object.entries(parameters), query);
  const { CallSid } = inbound;

  it.each([
    [{ ...inbound, Direction: 'sideways' }, 'Direction is invalid'],
    [{ ...inbound, CallStatus: 'ringingCalled' }, 'CallStatus is invalid'],
    [{ ...inbound, From: '+85512345678FromCountryKH' }, 'From is invalid'],
    [{ ...inbound, To: '2442T' }, 'To is invalid'],
    [{ ...inbound, To: 'CountryKH' }, 'To is invalid'],
    [{ ...inbound, To: 'Countr' }, 'To is invalid'],
    [{ ...callback, AnsweredBy: 'humanApiVersion' }, 'AnsweredBy is invalid'],
    [{ ...callback, SequenceNumber: '13Timestamp' }, 'SequenceNumber is invalid'],
    [{ CallSid, CallStatus: 'ringing', Directioni: 'nbound' }, 'Direction must be given'],
    [{ CallSid, CallStatus: 'ringing', Direct: 'ioninbound' }, 'Direction must be given'],
    [{ CallSid, CallStatus: 'ringing', CallerCountry: 'KHDirectioninbound' }, 'Direction must be given'],
    [{ CallSid, CallStatus: 'ringing', '7AccountSid': 'AC1' }, '"7AccountSid" is not the name of a parameter'],
    [{ CallSid, CallStatus: 'ringing', '': '7' }, '"" is not the name of a parameter'],
  ])('is refused as %j', (parameters, message) => {
    expect(sent(parameters as Record<string, string>)).toThrow(new UnusableWebhookError(message));
  });

  it.each([
    ['phone_call_id=5AccountSidAC1', 'phone_call_id is invalid'],
    ['phone_call_id=', 'phone_call_id is invalid'],
    ['phone_call_id=5&step=', 'step is invalid'],
    ['phone_call_id=5&step=2AccountSidAC1', 'step is invalid'],
  ])('is refused at the URL ?%s', (query, message) => {
    expect(sent(inbound, query)).toThrow(new UnusableWebhookError(message));
  });

  it.each<Record<string, string>>([
    { ...inbound, 'SipHeader_X-Digits': '5', 'SipHeader_X-Direction': 'north' },
    { ...inbound, CallerName: 'Digits and Direction Ltd' },
    { ...inbound, From: 'client:alice', msg: 'Gather End' },
    { ...callback, FriendlyName: 'From Here' },
    { CallSid, RecordingSid: 'RE1', RecordingStatus: 'completed', RecordingUrl: 'https://api.twilio.com/x' },
    { CallSid, ConferenceSid: 'CF1', FriendlyName: 'Message From Alice To Bob', StatusCallbackEvent: 'join' },
  ])('may hold the names in its texts: %j', (parameters) => {
    expect(sent(parameters)().sid).toBe(CallSid);
  });
});

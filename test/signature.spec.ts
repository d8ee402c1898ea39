import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { isSigned, looksSigned } from '../src/webhooks/signature.js';
import { readWebhookForm } from '../src/webhooks/webhook-form.js';

const account = { sid: 'AC1', token: 'secret' };
const form = (body: string | Buffer) => readWebhookForm(Buffer.from(body as string));
const verifies = (signature: string, url: string, body: string | Buffer) =>
  isSigned(signature, url, form(body), [{ sid: 'AC0', token: 'other' }, account]);
const sign = (url: string, content: string | Buffer) =>
  createHmac('sha1', account.token).update(url).update(content).digest('base64');

const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((one) => one.isWellFormed());
const name = text.filter((one) => one !== '__proto__');
const urls = fc.constantFrom(
  'https://example.org/api/remote_phone_call_events',
  'https://example.org:8443/api/remote_phone_call_events?phone_call_id=1',
  'http://127.0.0.1:3000/api/remote_phone_call_events?asked=1&phone_call_id=1&step=2',
  "https://[::1]/api/remote_phone_call_events?name=O'Neil&x=%27%20y+z",
  'https://user:pass@example.org/api/remote_phone_call_events?',
);

describe('a signature', () => {
  it('of the twilio package is valid for any parameters', () => {
    const parameters = fc.dictionary(name, fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 4 })), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(urls, parameters, (url, given) => {
        const body = new URLSearchParams(
          Object.entries(given).flatMap(([key, value]) => [value].flat().map((one): [string, string] => [key, one])),
        );
        const signature = twilio.getExpectedTwilioSignature(account.token, url, given);
        expect(verifies(signature, url, body.toString())).toBe(true);
        expect(form(body.toString()).parameters).toEqual(given);
        expect(verifies(signature, `${url}x`, body.toString())).toBe(false);
        expect(verifies(signature, url, `${body.toString()}&more=1`)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('is valid for every spelling of the URL that the package accepts', () => {
    fc.assert(
      fc.property(urls, urls, (sent, signed) => {
        const signature = twilio.getExpectedTwilioSignature(account.token, signed, { a: '1' });
        expect(verifies(signature, sent, 'a=1')).toBe(
          twilio.validateRequest(account.token, signature, sent, { a: '1' }),
        );
      }),
    );
    for (const [sent, signed] of [
      ['https://example.org/x', 'https://example.org:443/x'],
      ['https://example.org:443/x', 'https://example.org/x'],
      ['http://example.org/x', 'http://example.org:80/x'],
      ['http://example.org:3000/x', 'http://example.org/x'],
      ["https://example.org/x?a='", 'https://example.org/x?a=%27'],
      ['https://example.org/x?a=b+c', 'https://example.org/x?a=b%20c'],
      ['https://[::1]:443/x', 'https://[::1]/x'],
    ] as const) {
      const signature = twilio.getExpectedTwilioSignature(account.token, signed, {});
      expect([sent, verifies(signature, sent, '')]).toEqual([sent, true]);
      expect(twilio.validateRequest(account.token, signature, sent, {})).toBe(true);
    }
  });

  it.each([
    undefined,
    '',
    'AAAA',
    'a'.repeat(28),
    `${'a'.repeat(27)}= `,
    ['x'],
    `${'a'.repeat(27)}=, ${'b'.repeat(27)}=`,
  ])('never is %j', (header) => expect(looksSigned(header)).toBe(false));

  it('is rejected in another encoding of the same bytes', () => {
    const url = 'https://example.org/x';
    const signature = sign(url, 'a1');
    const [last] = signature.slice(26);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const other = `${signature.slice(0, 26)}${alphabet[alphabet.indexOf(last!) ^ 1]}=`;
    expect(Buffer.from(other, 'base64')).toEqual(Buffer.from(signature, 'base64'));
    expect([verifies(signature, url, 'a=1'), verifies(other, url, 'a=1')]).toEqual([true, false]);
  });
});

describe('an invalid byte', () => {
  const url = 'https://example.org/x';
  const bodies: [string, Buffer][] = [
    ['escaped', Buffer.from('CallerName=Jos%E9&CallSid=CA1')],
    ['as it is', Buffer.concat([Buffer.from('CallerName=Jos'), Buffer.from([0xe9]), Buffer.from('&CallSid=CA1')])],
  ];

  it.each(bodies)('%s is kept as U+FFFD', (_, body) => {
    expect(form(body).parameters).toEqual({ CallerName: 'Jos\uFFFD', CallSid: 'CA1' });
  });

  it.each(bodies)('%s has a signature over the replaced text, the bytes, or Latin-1', (_, body) => {
    const before = 'CallSidCA1CallerNameJos';
    const bytes = Buffer.concat([Buffer.from(before), Buffer.from([0xe9])]);
    for (const content of [`${before}\uFFFD`, bytes, `${before}é`]) {
      expect(verifies(sign(url, content), url, body)).toBe(true);
    }
    expect(verifies(sign(url, `${before}?`), url, body)).toBe(false);
  });

  it('is the only reason to try other contents: a valid form has one', () => {
    expect(form('CallerName=Jos%C3%A9').signableAsSent).toEqual([]);
    expect(verifies(sign(url, Buffer.from('CallerNameJosé', 'latin1')), url, 'CallerName=Jos%C3%A9')).toBe(false);
  });

  it.each([
    ['a=%zz', { a: '%zz' }],
    ['a=100%', { a: '100%' }],
    ['a=%E2%82', { a: '\uFFFD' }],
    ['%E9=1', { '\uFFFD': '1' }],
    ['a=%zz%C3%A9', { a: '%zzé' }],
    ['a=%4&b=%&%=1', { a: '%4', b: '%', '%': '1' }],
    ['a=%g0%0g+%4a%4A', { a: '%g0%0g JJ' }],
  ])('or a broken escape in %s spoils nothing but itself', (body, expected) => {
    expect(form(body).parameters).toEqual(expected);
  });
});

describe('a form', () => {
  it('is read in linear time', () => {
    const time = (body: string): number => {
      const rounds = Array.from({ length: 10 }, () => {
        const started = performance.now();
        form(body);
        return performance.now() - started;
      });
      // Other processes slow down some rounds, but not all.
      return Math.min(...rounds);
    };
    const repeated = (count: number) => Array.from({ length: count }, (_, n) => `a=${n}`).join('&');
    time(repeated(2_000));
    // Ten times the parameters take about ten times as long. Quadratic time would be a hundred times.
    expect(time(repeated(2_000))).toBeLessThan(50 * Math.max(0.2, time(repeated(200))));
    expect(() => form('a&'.repeat(2_001))).toThrow('more than 2000');
  });
});

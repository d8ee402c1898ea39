import { describe, expect, it } from 'vitest';
import { classifyError, classifyResponse } from '../src/telephony/twilio/classify-response.js';

describe('the outcome of a request for a call', () => {
  it.each([
    [201, { sid: 'CA1', status: 'queued' }, 'accepted'],
    [201, 'not a JSON object', 'unknown'],
    [201, { status: 'queued' }, 'unknown'],
    [400, { code: 21211, message: 'invalid' }, 'refused'],
    [403, { code: 21215, message: 'geographic permission' }, 'misconfigured'],
    [400, { code: 21205, message: 'Url is not a valid URL' }, 'misconfigured'],
    [400, { code: '21606', message: 'From is not ours' }, 'misconfigured'],
    [400, { code: 21209, message: 'Method must be GET or POST' }, 'misconfigured'],
    [400, { code: 21632, message: 'Twiml is too long' }, 'misconfigured'],
    [400, { code: 21999, message: 'nobody knows this one' }, 'refused'],
    [400, { code: { toString: 1 } }, 'refused'],
    [201, { sid: 'C'.repeat(65), status: 'queued' }, 'unknown'],
    [400, undefined, 'refused'],
    [429, { code: 20429, message: 'Too Many Requests' }, 'postponed'],
    [429, undefined, 'postponed'],
    [401, { code: 20003, message: 'Authenticate' }, 'barred'],
    [400, { code: 10004, message: 'concurrency' }, 'barred'],
    [400, { code: 22005, message: 'queue full' }, 'barred'],
    [404, { code: 20404, message: 'no such account' }, 'barred'],
    [408, undefined, 'unknown'],
    [500, { code: 20500 }, 'unknown'],
    [503, { code: 20503 }, 'unknown'],
    [302, undefined, 'unknown'],
  ])('%i %j is %s', (statusCode, body, outcome) => {
    expect(classifyResponse({ statusCode, body: JSON.stringify(body) ?? '' }).outcome).toBe(outcome);
  });

  it('is unknown if a success is not JSON', () => {
    expect(classifyResponse({ statusCode: 201, body: '<html>' }).outcome).toBe('unknown');
  });

  it("has the provider's message", () => {
    const body = JSON.stringify({ code: 21211, message: 'invalid number' });
    expect(classifyResponse({ statusCode: 400, body })).toEqual({
      outcome: 'refused',
      code: '21211',
      message: 'invalid number (21211)',
    });
    expect(classifyResponse({ statusCode: 418, body: '' })).toEqual({
      outcome: 'refused',
      code: 'HTTP 418',
      message: 'HTTP 418',
    });
  });

  it.each([
    ['ECONNREFUSED', 'unreachable'],
    ['ENOTFOUND', 'unreachable'],
    ['EAI_AGAIN', 'unreachable'],
    ['UND_ERR_CONNECT_TIMEOUT', 'unreachable'],
    ['UND_ERR_HEADERS_TIMEOUT', 'unknown'],
    ['UND_ERR_BODY_TIMEOUT', 'unknown'],
    ['UND_ERR_SOCKET', 'unknown'],
    ['ECONNRESET', 'unknown'],
    ['ETIMEDOUT', 'unknown'],
    ['ECONNABORTED', 'unknown'],
    [undefined, 'unknown'],
  ])('of an error with the code %s is %s', (code, outcome) => {
    expect(classifyError(Object.assign(new Error('x'), { code })).outcome).toBe(outcome);
  });
});

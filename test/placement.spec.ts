import { describe, expect, it } from 'vitest';
import { classifyEnding, classifyError, classifyPlacement } from '../src/telephony/twilio/classify-response.js';

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
    expect(classifyPlacement({ statusCode, body: JSON.stringify(body) ?? '' }).outcome).toBe(outcome);
  });

  it('is unknown if a success is not JSON', () => {
    expect(classifyPlacement({ statusCode: 201, body: '<html>' }).outcome).toBe('unknown');
  });

  it("has the provider's message", () => {
    const body = JSON.stringify({ code: 21211, message: 'invalid number' });
    expect(classifyPlacement({ statusCode: 400, body })).toEqual({
      outcome: 'refused',
      code: '21211',
      message: 'invalid number (21211)',
    });
    expect(classifyPlacement({ statusCode: 418, body: '' })).toEqual({
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

describe('the outcome of a request to end a call', () => {
  const call = (status: string) => ({ sid: 'CA1', status });

  it.each([
    ['canceled', 200, call('canceled'), 'ended'],
    ['canceled', 200, call('queued'), 'ended'],
    ['canceled', 200, call('ringing'), 'ended'],
    ['canceled', 200, call('in-progress'), 'not_cancelable'],
    ['canceled', 200, call('completed'), 'already_ended'],
    ['canceled', 200, call('busy'), 'already_ended'],
    ['completed', 200, call('completed'), 'ended'],
    ['completed', 200, call('canceled'), 'ended'],
    ['completed', 200, call('in-progress'), 'ended'],
    ['completed', 200, call('no-answer'), 'already_ended'],
    ['completed', 200, call('failed'), 'already_ended'],
    ['completed', 400, { code: 21220, message: 'Call is not in-progress. Cannot redirect.' }, 'already_ended'],
    ['canceled', 400, { code: '21220' }, 'already_ended'],
    ['canceled', 404, { code: 20404 }, 'not_found'],
    ['canceled', 404, undefined, 'not_found'],
    ['canceled', 429, { code: 20429 }, 'postponed'],
    ['canceled', 401, { code: 20003 }, 'barred'],
    ['canceled', 403, { code: 20006 }, 'barred'],
    ['canceled', 403, undefined, 'barred'],
    ['canceled', 400, { code: 20005 }, 'barred'],
    ['canceled', 400, { code: 20422 }, 'refused'],
    ['canceled', 200, { status: 'canceled' }, 'unknown'],
    ['canceled', 200, 'not a JSON object', 'unknown'],
    ['canceled', 302, undefined, 'unknown'],
    ['canceled', 408, undefined, 'unknown'],
    ['canceled', 500, { code: 20500 }, 'unknown'],
    ['canceled', 503, undefined, 'unknown'],
  ] as const)('%s, answered with %i %j, is %s', (status, statusCode, body, outcome) => {
    expect(classifyEnding({ statusCode, body: JSON.stringify(body) ?? '' }, status).outcome).toBe(outcome);
  });

  it('has the call as the provider shows it', () => {
    const body = JSON.stringify({ ...call('ringing'), duration: null });
    expect(classifyEnding({ statusCode: 200, body }, 'completed')).toEqual({
      outcome: 'ended',
      call: { ...call('ringing'), duration: null },
    });
  });
});

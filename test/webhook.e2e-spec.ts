// cspell:ignore ionoutbound
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import twilio from 'twilio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import type { Program } from './support/program.js';
import { type SendSignedWebhook, readSimulatorToken, signedWebhookSender } from './support/signed-webhooks.js';

let installation: Installation;
let signedWebhook: SendSignedWebhook;
let program: Program;
let api: Api;
let numbers = 0;

beforeAll(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  program = await installation.start();
  api = program.api;
});
afterAll(() => installation.remove());

const eventCount = async (): Promise<number> =>
  Number((await api.get('/api/remote_phone_call_events')).headers.get('total'));

/** Creates a phone call that no webhook has reported yet. */
async function createCall(): Promise<number> {
  const [contact] = await api.createContacts({ msisdn: `+8551277${String(++numbers).padStart(4, '0')}` });
  const callout = await api.createCallout();
  const joined = await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id: contact });
  const path = `/api/callout_participations/${joined.body.id}/phone_calls`;
  return (await api.post(path, { remote_request_params: { from: '1' } })).body.id;
}

const call = async (id: number): Promise<Body> => (await api.get(`/api/phone_calls/${id}`)).body;
const statusCallback = (sid: string, status: string, sequence: number) => ({
  CallSid: sid,
  CallStatus: status,
  Direction: 'outbound-api',
  SequenceNumber: String(sequence),
});

/** Sends the headers of a webhook and half of its body. @returns the response, which must not wait for the rest */
async function sendUnfinished({ url }: Api, headers: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /api/remote_phone_call_events HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: 60000\r\n\r\nCallSid=CA1`,
  );
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return data.toString();
}

describe('the webhook', () => {
  it('stores a complete event, updates its call, and replies with TwiML', async () => {
    const id = await createCall();
    const answer = await signedWebhook(api, statusCallback('CA10', 'ringing', 1), { query: `?phone_call_id=${id}` });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([201, 'application/xml; charset=utf-8']);
    // The provider ignores the reply to a status callback, so it is empty.
    expect(answer.text).toBe('<?xml version="1.0" encoding="UTF-8"?><Response/>');
    const { SequenceNumber: _, ...asking } = statusCallback('CA10', 'ringing', 1);
    const asked = await signedWebhook(api, asking, { query: `?phone_call_id=${id}` });
    expect(asked.text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?><Response><Say>/);
    expect(await call(id)).toMatchObject({ status: 'in_progress', remote_call_id: 'CA10', remote_status: 'ringing' });
    const [event, second] = (await api.get(`/api/phone_calls/${id}/remote_phone_call_events`)).body;
    expect(asked.headers.get('location')).toBe(`/api/remote_phone_call_events/${second.id}`);
    expect(event).toMatchObject({
      details: statusCallback('CA10', 'ringing', 1),
      remote_call_id: 'CA10',
      remote_direction: 'outbound-api',
      call_flow_logic: 'CallFlowLogic::Application',
    });
    expect(answer.headers.get('location')).toBe(`/api/remote_phone_call_events/${event.id}`);
  });

  it('stores nothing if the signature is invalid', async () => {
    const before = await eventCount();
    const parameters = statusCallback('CA11', 'ringing', 1);
    const answers = [
      await signedWebhook(api, parameters, { token: 'wrong' }),
      await signedWebhook(api, parameters, { headers: { 'X-Twilio-Signature': '' } }),
      await signedWebhook(api, parameters, { headers: { 'X-Twilio-Signature': 'AAAA' } }),
      await api.post('/api/remote_phone_call_events', 'CallSid=CA11&Direction=inbound&From=%2B85510202101'),
      await api.post('/api/remote_phone_call_events', parameters),
      await api.send('POST', '/api/remote_phone_call_events'),
    ];
    for (const { status, body } of answers) expect([status, body.error]).toEqual([403, 'Forbidden']);
    expect(await eventCount()).toBe(before);
  });

  it('accepts JSON only if its digest is in the signed URL', async () => {
    const id = await createCall();
    const body = JSON.stringify(statusCallback('CA12', 'ringing', 1));
    const token = await readSimulatorToken(installation);
    const send = (text: string) => {
      const digest = createHash('sha256').update(body).digest('hex');
      const path = `/api/remote_phone_call_events?phone_call_id=${id}&bodySHA256=${digest}`;
      const signature = twilio.getExpectedTwilioSignature(token, api.url + path, {});
      const headers = { 'Content-Type': 'application/json', 'X-Twilio-Signature': signature };
      return api.send('POST', path, text, headers);
    };
    expect((await send(body.replace('ringing', 'busy'))).status).toBe(403);
    expect((await send(body)).status).toBe(201);
    expect((await call(id)).status).toBe('in_progress');
  });

  it('processes a repeated delivery once, also if both arrive at the same time, and gives both the same reply', async () => {
    const id = await createCall();
    const query = `?phone_call_id=${id}`;
    const before = await eventCount();
    const twins = await Promise.all(
      Array.from({ length: 10 }, () => signedWebhook(api, statusCallback('CA13', 'ringing', 1), { query })),
    );
    for (const twin of twins) expect([twin.status, twin.text]).toEqual([201, twins[0]!.text]);
    expect(await eventCount()).toBe(before + 1);
  });

  it('identifies an event without the idempotency token, which is not signed', async () => {
    const id = await createCall();
    const query = `?phone_call_id=${id}`;
    const before = await eventCount();
    const send = (status: string, token: string) =>
      signedWebhook(api, statusCallback('CA-token', status, 2), {
        query,
        headers: { 'I-Twilio-Idempotency-Token': token },
      });
    const first = await send('in-progress', 'token-1');
    for (const token of ['token-2', 'token-3', '']) {
      const replayed = await send('in-progress', token);
      expect([replayed.text, replayed.headers.get('location')]).toEqual([first.text, first.headers.get('location')]);
    }
    expect(await eventCount()).toBe(before + 1);
    await send('completed', 'token-1');
    expect(await eventCount()).toBe(before + 2);
    expect((await call(id)).status).toBe('completed');
  });

  it('stores nothing if a captured webhook is sent again in another encoding', async () => {
    const id = await createCall();
    const path = (query: string) => `/api/remote_phone_call_events?${query}`;
    const given = { ...statusCallback('CA-captured', 'ringing', 1), Extra: 'a' };
    const signature = twilio.getExpectedTwilioSignature(
      await readSimulatorToken(installation),
      api.url + path(`phone_call_id=${id}`),
      given,
    );
    const send = (body: object, query = `phone_call_id=${id}`) =>
      api.send('POST', path(query), new URLSearchParams(body as Record<string, string>).toString(), {
        'X-Twilio-Signature': signature,
      });
    expect((await send(given)).status).toBe(201);
    const before = await eventCount();
    const { CallStatus, Extra, ...others } = given;
    for (const shifted of [
      { ...others, CallStatus, Extr: `a${Extra}` },
      { ...others, CallStatusr: 'inging', Extra },
      { CallSid: given.CallSid, CallStatus, Extra, Direct: 'ionoutbound-api', SequenceNumber: '1' },
      { ...others, CallStatus: 'ringing', E: 'xtraa' },
    ]) {
      expect([201, 422]).toContain((await send(shifted)).status);
    }
    const spelled = `phone_call_id=${String(id).replaceAll(/\d/g, '%3$&')}`;
    expect((await send(given, spelled)).status).toBe(201);
    expect(await eventCount()).toBe(before);
  });

  it.each([
    [{ CallSid: 'CA-x'.padEnd(65, 'x'), CallStatus: 'ringing' }, 'CallSid is longer than 64 characters'],
    [{ CallSid: 'x'.repeat(8_000), CallStatus: 'ringing' }, 'CallSid is longer than 64 characters'],
    [
      { CallSid: 'CA-y', CallStatus: 'ringing', ParentCallSid: 'x'.repeat(65) },
      'ParentCallSid is longer than 64 characters',
    ],
    [{ CallSid: 'CA-y', CallStatus: undefined, CallStatusr: 'inging' }, 'CallStatus can&#39;t be blank'],
    [{ CallSid: 'CA-y', CallStatus: '' }, "CallStatus can't be blank"],
    [{ CallSid: 'CA-y', CallStatus: 'ringing', From: undefined, Fro: 'm' }, 'From must be given'],
  ])('is rejected with the parameters %j', async (given, message) => {
    const inbound = { Direction: 'inbound', From: '+85512999997', To: '2442', ...given };
    const parameters = Object.fromEntries(Object.entries(inbound).filter(([, value]) => value !== undefined));
    const before = await eventCount();
    const answer = await signedWebhook(api, parameters as Record<string, string>);
    expect([answer.status, answer.text]).toEqual([422, expect.stringContaining(message.replace('&#39;', "'"))]);
    expect(await eventCount()).toBe(before);
  });

  it.each<Record<string, string>>([
    { AnsweredBy: 'human', MachineDetectionDuration: '2000' },
    { RecordingSid: 'RE1', RecordingStatus: 'completed' },
    { TranscriptionSid: 'TR1', TranscriptionStatus: 'completed' },
    { StreamSid: 'MZ1', StreamEvent: 'stream-started' },
    { ConferenceSid: 'CF1', StatusCallbackEvent: 'participant-join' },
  ])('may be another callback of the provider, without a status: %j', async (given) => {
    const id = await createCall();
    const CallSid = `CA-other-${id}`;
    const answer = await signedWebhook(
      api,
      { CallSid, ...given },
      {
        query: `?phone_call_id=${id}`,
      },
    );
    expect(answer.status).toBe(201);
    expect((await call(id)).remote_status).toBeNull();
  });

  it('stores an invalid byte as U+FFFD, whichever way the provider signs it', async () => {
    for (const [way, signed] of Object.entries({
      replaced: 'CallerNameJos\uFFFD',
      bytes: Buffer.from('CallerNameJosé', 'latin1'),
      latin: 'CallerNameJosé',
    })) {
      const id = await createCall();
      const path = `/api/remote_phone_call_events?phone_call_id=${id}`;
      const hmac = createHmac('sha1', await readSimulatorToken(installation))
        .update(api.url + path)
        .update(`CallSidCA-${way}CallStatusringing`);
      const headers = {
        'X-Twilio-Signature': hmac.update(signed).digest('base64'),
        'Content-Type': 'Application/X-WWW-Form-Urlencoded; Charset=UTF-8',
      };
      const answer = await api.send('POST', path, `CallSid=CA-${way}&CallStatus=ringing&CallerName=Jos%E9`, headers);
      expect([way, answer.status]).toEqual([way, 201]);
      const [event] = (await api.get(`/api/phone_calls/${id}/remote_phone_call_events`)).body;
      expect(event.details.CallerName).toBe('Jos\uFFFD');
    }
  });

  it('with JSON is parsed only if its signature is valid, and its media type is case-insensitive', async () => {
    const id = await createCall();
    const ours = await readSimulatorToken(installation);
    const send = (body: string, digested = body, token = ours) => {
      const digest = createHash('sha256').update(digested).digest('hex');
      const path = `/api/remote_phone_call_events?phone_call_id=${id}&bodySHA256=${digest}`;
      const signature = twilio.getExpectedTwilioSignature(token, api.url + path, {});
      return api.send('POST', path, body, { 'Content-Type': 'Application/JSON', 'X-Twilio-Signature': signature });
    };
    const json = JSON.stringify(statusCallback('CA-json', 'ringing', 1));
    expect((await send('{', '{', 'wrong')).status).toBe(403);
    expect((await send('{', json)).status).toBe(403);
    expect((await send('{')).status).toBe(400);
    expect((await send(json)).status).toBe(201);
    expect((await call(id)).status).toBe('in_progress');
  });

  it('is stored with U+FFFD for characters that databases cannot store, and without __proto__', async () => {
    const token = await readSimulatorToken(installation);
    const broken = (sid: string) =>
      `{"CallSid":"${sid}","CallStatus":"ringing","Half":"a\\ud800b","\\udc00":{"x":["\\udfff","\\u0000"]},"__proto__":{"a":1},` +
      '"Deep":{"__proto__":1,"b":2}}';
    const send = (id: number, sid: string, signedWith: string) => {
      const body = broken(sid);
      const digest = createHash('sha256').update(body).digest('hex');
      const path = `/api/remote_phone_call_events?phone_call_id=${id}&bodySHA256=${digest}`;
      const signature = twilio.getExpectedTwilioSignature(signedWith, api.url + path, {});
      return api.send('POST', path, body, { 'Content-Type': 'application/json', 'X-Twilio-Signature': signature });
    };
    const id = await createCall();
    expect((await send(id, 'CA-halves', 'wrong')).status).toBe(403);
    expect((await send(id, 'CA-halves', token)).status).toBe(201);
    const [event] = (await api.get(`/api/phone_calls/${id}/remote_phone_call_events`)).body;
    expect(event.details).toEqual({
      CallSid: 'CA-halves',
      CallStatus: 'ringing',
      Half: 'a\uFFFDb',
      '\uFFFD': { x: ['\uFFFD', '\uFFFD'] },
      Deep: { b: 2 },
    });
    const other = await createCall();
    const path = `/api/remote_phone_call_events?phone_call_id=${other}`;
    const signature = createHmac('sha1', token)
      .update(`${api.url}${path}CallSidCA-protoCallStatusringing__proto__x`)
      .digest('base64');
    const form = await api.send('POST', path, '__proto__=x&CallSid=CA-proto&CallStatus=ringing', {
      'X-Twilio-Signature': signature,
    });
    expect(form.status).toBe(201);
    const [kept] = (await api.get(`/api/phone_calls/${other}/remote_phone_call_events`)).body;
    expect(kept.details).toEqual({ CallSid: 'CA-proto', CallStatus: 'ringing' });
  });

  it('is rejected before its body is read if it has no signature or is multipart', async () => {
    const unsigned = await sendUnfinished(api, '');
    expect(unsigned).toMatch(/^HTTP\/1.1 403 Forbidden/);
    const multipart = await sendUnfinished(
      api,
      `X-Twilio-Signature: ${'a'.repeat(27)}=\r\nContent-Type: Multipart/Form-Data; boundary=x\r\n`,
    );
    expect(multipart).toMatch(/^HTTP\/1.1 415 /);
  });

  it('never moves a call to an earlier status, in whatever order the callbacks arrive', async () => {
    const id = await createCall();
    const query = `?phone_call_id=${id}`;
    for (const [status, sequence] of [
      ['in-progress', 2],
      ['initiated', 0],
      ['completed', 3],
      ['ringing', 1],
    ] as const) {
      await signedWebhook(api, statusCallback('CA14', status, sequence), { query });
    }
    expect(await call(id)).toMatchObject({ status: 'completed', remote_status: 'completed' });
    expect((await api.get(`/api/phone_calls/${id}/remote_phone_call_events`)).body).toHaveLength(4);
  });

  it('is stored even if the call flow fails; the failure is logged, and the reply is empty', async () => {
    const ringing = {
      CallSid: 'CA-broken',
      CallStatus: 'ringing',
      Direction: 'inbound',
      From: '+85512666001',
      To: '2442',
    };
    await signedWebhook(api, ringing);
    const [{ id }] = (await api.get('/api/phone_calls?q[remote_call_id]=CA-broken')).body;
    // No flow stores such a memory. The registration fails on it.
    const state = {
      flow: 'CallFlowLogic::Registration',
      standing: { step: 1, twiml: '<x/>', memory: { question: 99 } },
    };
    await installation.query(
      `UPDATE phone_calls SET call_flow_state = '${JSON.stringify(state)}' WHERE remote_call_id = 'CA-broken'`,
    );
    const query = `?asked=1&phone_call_id=${id}&step=1`;
    const pressed = await signedWebhook(api, { ...ringing, CallStatus: 'in-progress', Digits: '5' }, { query });
    expect([pressed.status, pressed.text]).toEqual([201, '<?xml version="1.0" encoding="UTF-8"?><Response/>']);
    const ended = await signedWebhook(api, { ...ringing, CallStatus: 'completed', SequenceNumber: '3' });
    expect(ended.status).toBe(201);
    expect(await call(id)).toMatchObject({ status: 'completed', remote_status: 'completed' });
    await eventually(() => program.output.includes(`CallFlowLogic::Registration failed in phone call ${id}`));
  });

  it('proves that the provider has a call that was given up, which is then looked up, but not forever', async () => {
    const id = await createCall();
    await installation.query(
      `UPDATE phone_calls SET status = 'errored', remote_error_message = 'given up', dialled_at = created_at WHERE id = ${id}`,
    );
    const saying = (status: string) =>
      signedWebhook(api, { ...statusCallback('CA-given-up', status, 1) }, { query: `?phone_call_id=${id}` });
    expect((await saying('dancing')).status).toBe(201);
    expect(await call(id)).toMatchObject({ status: 'remotely_queued', remote_call_id: 'CA-given-up' });
    // The provider does not know the call anymore. From then on, a callback without news starts no lookups.
    await installation.query(`UPDATE phone_calls SET status = 'errored', check_at = NULL WHERE id = ${id}`);
    await signedWebhook(
      api,
      { ...statusCallback('CA-given-up', 'dancing', 2), More: 'x' },
      { query: `?phone_call_id=${id}` },
    );
    expect(await installation.query(`SELECT status, check_at FROM phone_calls WHERE id = ${id}`)).toEqual([
      { status: 'errored', check_at: null },
    ]);
  });

  it('creates one contact and one phone call for a person who calls in', async () => {
    const inbound = { CallSid: 'CA15', CallStatus: 'ringing', Direction: 'inbound', From: '+85512999999', To: '2442' };
    const answers = await Promise.all([
      signedWebhook(api, inbound),
      signedWebhook(api, { ...inbound, CallSid: 'CA16' }),
    ]);
    for (const { status } of answers) expect(status).toBe(201);
    const contacts = await api.listIds('/api/contacts?q[msisdn]=85512999999');
    expect(contacts).toHaveLength(1);
    const calls = (await api.get(`/api/contacts/${contacts[0]}/phone_calls`)).body;
    expect(calls).toHaveLength(2);
    expect(calls[0]).toMatchObject({
      callout_participation_id: null,
      remote_direction: 'inbound',
      status: 'in_progress',
    });
  });

  it.each([
    [{ CallSid: 'CA17', Direction: 'outbound-api', CallStatus: 'ringing' }, 'Call CA17 is not known'],
    [{ Direction: 'inbound', From: '+85512999998' }, "CallSid can't be blank"],
  ])('is rejected if its call is unknown or incomplete: %j', async (parameters, message) => {
    const answer = await signedWebhook(api, parameters as unknown as Record<string, string>);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([422, 'application/xml; charset=utf-8']);
    expect(answer.text).toContain(`<errors><error>${message}</error></errors>`);
    await eventually(() => program.output.includes(`a webhook was rejected: ${message}`));
  });

  it('responds to any invalid request, and stores nothing', async () => {
    const before = await eventCount();
    const anything = fc.record({
      type: fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'multipart/form-data', 'text/xml'),
      body: fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.webQueryParameters(), fc.constant('CallSid=CA&a=%')),
      query: fc.constantFrom(
        '',
        '?phone_call_id=1',
        '?phone_call_id=-1',
        '?phone_call_id=1e99',
        '?a[=%zz',
        '?bodySHA256=x',
      ),
      signature: fc.oneof(fc.base64String(), fc.constant('')),
    });
    await fc.assert(
      fc.asyncProperty(anything, async ({ type, body, query, signature }) => {
        const headers = { 'Content-Type': type, 'X-Twilio-Signature': signature };
        const { status } = await api.send('POST', `/api/remote_phone_call_events${query}`, body, headers);
        expect([400, 403, 413, 415]).toContain(status);
      }),
      { numRuns: 300 },
    );
    expect(await eventCount()).toBe(before);
  });

  it('accepts any signed parameters, or rejects them without a server error', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 }).filter((one) => one.isWellFormed());
    const parameters = fc.record({
      CallSid: text,
      CallStatus: fc.oneof(text, fc.constantFrom('ringing', 'completed', '__proto__', 'constructor')),
      Direction: fc.constantFrom('inbound', 'outbound-api', 'x'),
      From: fc.constantFrom('+85512888888', '', 'anonymous'),
      SequenceNumber: fc.oneof(text, fc.nat().map(String)),
      Digits: text,
    });
    await fc.assert(
      fc.asyncProperty(parameters, async (given) => {
        const answer = await signedWebhook(api, given);
        expect([201, 400, 422]).toContain(answer.status);
        if (answer.status === 201) {
          const id = answer.headers.get('location')!.split('/').at(-1);
          const { body } = await api.get(`/api/remote_phone_call_events/${id}`);
          // PostgreSQL stores no NUL.
          const kept = Object.entries(given).map(([name, value]) => [name, value.replaceAll('\0', '\uFFFD')]);
          expect(body.details).toEqual(Object.fromEntries(kept));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('processes 2,000 concurrent webhooks without an error', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, createCall));
    const answers = await Promise.all(
      Array.from({ length: 2_000 }, (_, n) => {
        const id = ids[n % 20]!;
        const status = ['initiated', 'ringing', 'in-progress', 'completed'][Math.floor(n / 20) % 4]!;
        return signedWebhook(api, statusCallback(`CA-burst-${id}`, status, Math.floor(n / 20)), {
          query: `?phone_call_id=${id}`,
        });
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    for (const id of ids) {
      expect((await call(id)).status).toBe('completed');
      expect((await api.get(`/api/phone_calls/${id}/remote_phone_call_events?per_page=1`)).headers.get('total')).toBe(
        '100',
      );
    }
  });
});

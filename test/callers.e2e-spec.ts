import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { Installation } from './support/installation.js';
import { callIn } from './support/simulated-calls.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

let installation: Installation;
let signedWebhook: SendSignedWebhook;
let api: Api;
let calls = 0;

beforeAll(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  const settings = { INBOUND_CALL_FLOW_LOGIC: 'CallFlowLogic::Registration', SIMULATOR_SPEED: '300' };
  api = (await installation.start(settings)).api;
});
afterAll(() => installation.remove());
afterAll(() => expectConsistentBookkeeping(installation));

/** Makes a person call in. Returns the TwiML, and the phone call that was stored. */
async function inbound(From: string): Promise<{ text: string; call: Body }> {
  const CallSid = `CA-caller-${++calls}`;
  const told = { CallSid, CallStatus: 'ringing', Direction: 'inbound', From, To: '2442' };
  const answer = await signedWebhook(api, told);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([201, 'application/xml; charset=utf-8']);
  const { body } = await api.get(`/api/phone_calls?q[remote_call_id]=${CallSid}`);
  expect(body).toHaveLength(1);
  return { text: answer.text, call: body[0] };
}

describe('a caller whose number is unknown', () => {
  it.each([
    'Anonymous',
    'Restricted',
    'Unavailable',
    '',
    '+266696687',
    'client:alice',
    'sip:alice@example.org',
    'sip:123@x',
    '12',
  ])('%j is stored and gets a reply, but has no contact', async (from) => {
    const before = (await api.get('/api/contacts')).headers.get('total');
    const { text, call } = await inbound(from);
    expect(call).toMatchObject({ contact_id: null, msisdn: from, status: 'in_progress', remote_direction: 'inbound' });
    expect(text).toContain('We cannot see your number');
    expect((await api.get('/api/contacts')).headers.get('total')).toBe(before);
    expect((await api.get(`/api/phone_calls/${call.id}`)).body).toEqual(call);
  });

  it('can be found by filtering for calls without a contact', async () => {
    const { call } = await inbound('Anonymous');
    expect(await api.listIds('/api/phone_calls?q[contact_id]')).toContain(call.id);
  });

  it('hears a goodbye, and the call ends normally', async () => {
    const { said, errors } = await callIn(api, 'Anonymous', ['1', '4', '1']);
    expect(errors).toEqual([]);
    expect(said).toEqual([expect.stringMatching(/^We cannot see your number.*Goodbye\.$/)]);
  });

  it('may have a label of any length, of which 255 characters are stored', async () => {
    const { call } = await inbound('x'.repeat(5_000));
    expect(call.msisdn).toBe('x'.repeat(255));
  });
});

describe('a SIP address', () => {
  it.each(['sip:+85512777001@example.org', 'sips:+85512777001@example.org;user=phone', 'SIP:+85512777001@x'])(
    '%s with a full number stands for that number',
    async (from) => {
      const { call } = await inbound(from);
      const contact = (await api.get('/api/contacts?q[msisdn]=%2B85512777001')).body[0];
      expect(call).toMatchObject({ msisdn: '+85512777001', contact_id: contact.id });
    },
  );
});

describe('a contact who is deleted while they call in', () => {
  it('is kept or created again, and the call is stored', async () => {
    for (let round = 0; round < 30; round++) {
      const msisdn = `+85512778${String(round).padStart(3, '0')}`;
      const [id] = await api.createContacts({ msisdn });
      const [, { call }] = await Promise.all([api.delete(`/api/contacts/${id}`), inbound(msisdn)]);
      expect(call.msisdn).toBe(msisdn);
      expect((await api.get(`/api/contacts/${call.contact_id}`)).body.msisdn).toBe(msisdn);
    }
  });
});

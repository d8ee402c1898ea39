import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Body } from './support/api.js';
import { basicAuth } from './support/basic-auth.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import { PROVIDER_SID } from './support/provider-environment.js';
import { readSimulatorToken, signedWebhookSender } from './support/signed-webhooks.js';

const calls = `/simulator/2010-04-01/Accounts/${PROVIDER_SID}/Calls`;

let installation: Installation;
beforeAll(async () => {
  installation = await Installation.create();
  // The first start creates the token.
  await installation.start();
});
afterAll(() => installation.remove());

describe("the simulator's token", () => {
  it('is created once for each database, also by concurrent starts, and is unique', async () => {
    const fresh = await Installation.create();
    const other = await Installation.create();
    try {
      await Promise.all([...Array.from({ length: 4 }, () => fresh.start()), other.start()]);
      const rows = await fresh.query<Body>('SELECT name, value FROM settings');
      expect(rows).toEqual([{ name: 'simulator_auth_token', value: expect.stringMatching(/^[\da-f]{32}$/) }]);
      expect(await readSimulatorToken(other)).not.toBe(rows[0].value);
      const again = await fresh.start();
      expect(await fresh.query('SELECT name, value FROM settings')).toEqual(rows);
      const { status } = await again.api.get(`${calls}.json`, basicAuth(PROVIDER_SID, rows[0].value));
      expect(status).toBe(200);
    } finally {
      await fresh.remove();
      await other.remove();
    }
  });

  it('is shared by the web and the worker of one installation', async () => {
    const cluster = await Installation.create();
    try {
      const web = await cluster.start({ SCFM_ROLE: 'web', SIMULATOR_SPEED: '500' });
      await cluster.start({ SCFM_ROLE: 'worker', SIMULATOR_URL: `${web.url}/simulator`, PUBLIC_URL: web.url });
      const [contact_id] = await web.api.createContacts({ msisdn: '+85510209900' });
      const callout = await web.api.createCallout();
      const { body: joined } = await web.api.post(`/api/callouts/${callout}/callout_participations`, { contact_id });
      const path = `/api/callout_participations/${joined.id}/phone_calls`;
      const { body: call } = await web.api.post(path, { remote_request_params: { from: '2442' } });
      await web.api.post(`/api/phone_calls/${call.id}/phone_call_events`, 'event=queue');
      await eventually(async () => (await web.api.get(`/api/phone_calls/${call.id}`)).body.status === 'completed');
    } finally {
      await cluster.remove();
    }
  });

  it('can be set, and so can the account', async () => {
    const chosen = { SIMULATOR_AUTH_TOKEN: 'chosen', SIMULATOR_ACCOUNT_SID: 'AC123' };
    const { api } = await installation.start(chosen);
    const path = '/simulator/2010-04-01/Accounts/AC123/Calls.json';
    expect((await api.get(path, basicAuth('AC123', 'chosen'))).status).toBe(200);
    expect((await api.get(path, basicAuth('AC123', await readSimulatorToken(installation)))).status).toBe(401);
    const signed = signedWebhookSender(installation);
    const parameters = { CallSid: 'CA77', CallStatus: 'ringing', Direction: 'inbound', From: '+85510202101' };
    expect((await signed(api, parameters, { token: 'chosen' })).status).toBe(201);
    expect((await signed(api, parameters)).status).toBe(403);
  });

  it('cannot be guessed to sign a webhook', async () => {
    const { api } = await installation.start();
    const signed = signedWebhookSender(installation);
    const parameters = { CallSid: 'CA78', CallStatus: 'ringing', Direction: 'inbound', From: '+85510202101' };
    for (const token of ['simulator', '', 'undefined', 'null', PROVIDER_SID]) {
      expect((await signed(api, parameters, { token })).status).toBe(403);
    }
    expect((await signed(api, parameters)).status).toBe(201);
  });

  it('is neither created nor accepted with a real provider', async () => {
    const real = await Installation.create();
    try {
      const twilio = { PLATFORM_PROVIDER: 'twilio', TWILIO_ACCOUNT_SID: 'AC1', TWILIO_AUTH_TOKEN: 'real' };
      const { api } = await real.start({ ...twilio, PUBLIC_URL: 'http://scfm.example.org' });
      expect(await real.query('SELECT name FROM settings')).toEqual([]);
      expect((await api.get('/simulator/statistics')).status).toBe(404);
      expect((await api.get(`${calls}.json`, basicAuth(PROVIDER_SID, 'simulator'))).status).toBe(404);
    } finally {
      await real.remove();
    }
  });
});

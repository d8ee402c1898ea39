import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { phoneCallStatuses } from '../src/phone-calls/phone-call.machine.js';
import type { Api, Body } from './support/api.js';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import { PROVIDER_SID, dialingEnvironment } from './support/provider-environment.js';
import { StubServer } from './support/stub-server.js';

let installation: Installation;
let api: Api;
let people = 0;

const params = { from: '2442' };
const other = '+85510777000';

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start({ SIMULATOR_SPEED: '200', CALLS_PER_SECOND: '200' })).api;
});
afterAll(() => installation.remove());

/** Creates a call that is not queued, with its participation. The simulator answers the call when it is placed. */
async function makeCall(): Promise<{ call: Body; participation: string; path: string }> {
  const [contact] = await api.createContacts({ msisdn: `+85512${String(++people).padStart(2, '0')}9900` });
  const callout = await api.createCallout();
  const joined = await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id: contact });
  const participation = `/api/callout_participations/${joined.body.id}`;
  const { body: call } = await api.post(`${participation}/phone_calls`, { remote_request_params: params });
  return { call, participation, path: `/api/phone_calls/${call.id}` };
}

const setStatus = (id: number, status: string) =>
  installation.query(`UPDATE phone_calls SET status = '${status}', leased_until = NULL WHERE id = ${id}`);

describe('the number and parameters of a call', () => {
  it('can change while the status is created', async () => {
    const { path, participation } = await makeCall();
    const changes = { msisdn: other, remote_request_params: { from: '1294', timeout: 20 } };
    expect((await api.patch(path, changes)).status).toBe(204);
    expect((await api.get(path)).body).toMatchObject(changes);
    expect((await api.patch(participation, { msisdn: '+85510777001' })).status).toBe(204);
    expect((await api.get(participation)).body.msisdn).toBe('+85510777001');
  });

  it('cannot change in any other status, but may be sent unchanged, and other attributes can change', async () => {
    const paused = await api.createCallout();
    await api.post(`/api/callouts/${paused}/callout_events`, 'event=pause');
    for (const status of phoneCallStatuses.filter((one) => one !== 'created')) {
      const { call, path, participation } = await makeCall();
      // Calls of a paused callout are not dialed.
      await installation.query(`UPDATE phone_calls SET callout_id = ${paused} WHERE id = ${call.id}`);
      await setStatus(call.id, status);
      const refused = await api.patch(path, {
        msisdn: other,
        remote_request_params: { from: '1' },
        metadata: { a: 1 },
      });
      const cannot = [`cannot change because status is ${status}`];
      expect([refused.status, refused.body]).toEqual([
        422,
        { errors: { msisdn: cannot, remote_request_params: cannot } },
      ]);
      const broken = await api.put(path, { msisdn: 'x', remote_request_params: { nonsense: 1 } });
      expect(broken.body).toEqual({ errors: { msisdn: cannot, remote_request_params: cannot } });
      const { body: shown } = await api.get(path);
      for (const unchanged of [shown, { msisdn: call.msisdn }, { remote_request_params: params, msisdn: null }]) {
        expect((await api.put(path, unchanged)).status).toBe(204);
      }
      expect((await api.put(path, `msisdn=${call.msisdn}&remote_request_params[from]=2442`)).status).toBe(204);
      expect((await api.get(path)).body).toEqual(shown);
      expect((await api.patch(path, { metadata: { a: 1 } })).status).toBe(204);

      const ofParticipation = await api.patch(participation, { msisdn: other });
      expect([ofParticipation.status, ofParticipation.body]).toEqual([
        422,
        { errors: { msisdn: [`cannot change because status of phone call ${call.id} is ${status}`] } },
      ]);
      const { body: same } = await api.get(participation);
      expect((await api.put(participation, same)).status).toBe(204);
      expect((await api.patch(participation, { metadata: { a: 1 } })).status).toBe(204);
    }
  });

  it('are those of the placed call, even if they change while the call is queued', async () => {
    const calls = await Promise.all(Array.from({ length: 20 }, makeCall));
    const answers = await Promise.all(
      calls.map(async ({ path }, n) => {
        const changing = api.patch(path, { msisdn: `+8551299${String(n).padStart(2, '0')}99` });
        const [queued, changed] = await Promise.all([api.post(`${path}/phone_call_events`, 'event=queue'), changing]);
        expect(queued.status).toBe(201);
        return changed;
      }),
    );
    for (const [n, { path, call }] of calls.entries()) {
      const { status, body } = answers[n]!;
      const shown = await eventually(async () => {
        const { body: now } = await api.get(path);
        return now.remote_queue_response.sid !== undefined && now;
      });
      expect(shown.remote_queue_response.to).toBe(shown.msisdn);
      expect(shown.msisdn).toBe(status === 204 ? `+8551299${String(n).padStart(2, '0')}99` : call.msisdn);
      if (status !== 204)
        expect(body.errors.msisdn).toEqual([expect.stringMatching(/^cannot change because status is /)]);
    }
  });
});

describe('the request to the provider', () => {
  const callbackStatuses = async (path: string): Promise<string[]> => {
    const { body } = await api.get(`${path}/remote_phone_call_events`);
    return body.map(({ details }: Body) => details.CallStatus);
  };

  it('has no blank parameters, even if they are stored, and each event as a separate value', async () => {
    const { call, path } = await makeCall();
    const stored = {
      ...params,
      url: '',
      twiml: ' ',
      application_sid: null,
      status_callback: '',
      machine_detection: '',
      status_callback_event: 'initiated ringing,answered, completed',
    };
    await installation.query(
      `UPDATE phone_calls SET remote_request_params = '${JSON.stringify(stored)}' WHERE id = ${call.id}`,
    );
    await api.post(`${path}/phone_call_events`, 'event=queue');
    await eventually(async () => (await api.get(path)).body.status === 'completed');
    // Only callbacks can report this: there is no lookup before RECONCILE_AFTER.
    await eventually(async () => (await callbackStatuses(path)).includes('completed'));
    expect(await callbackStatuses(path)).toEqual(
      expect.arrayContaining(['initiated', 'ringing', 'in-progress', 'completed']),
    );
  });

  it('has each event of a recording as a separate value, although the client sent them as one text', async () => {
    const call = { sid: 'CA1', status: 'queued', direction: 'outbound-api' };
    const provider = await StubServer.start({
      [`/simulator/2010-04-01/Accounts/${PROVIDER_SID}/Calls.json`]: { status: 201, body: JSON.stringify(call) },
    });
    const apart = await Installation.create();
    try {
      const { api: client } = await apart.start({
        ...dialingEnvironment(provider.url),
        PUBLIC_URL: 'https://warn.example',
      });
      const [contact_id] = await client.createContacts({ msisdn: '+85512009900' });
      const joined = await client.post(`/api/callouts/${await client.createCallout()}/callout_participations`, {
        contact_id,
      });
      const recording = {
        record: true,
        recording_status_callback: 'https://archive.example/recordings',
        recording_status_callback_event: 'in-progress completed, absent',
      };
      const path = `/api/callout_participations/${joined.body.id}/phone_calls`;
      const { body: made } = await client.post(path, { remote_request_params: { ...params, ...recording } });
      expect(made.remote_request_params).toEqual({ ...params, ...recording });
      await client.post(`/api/phone_calls/${made.id}/phone_call_events`, 'event=queue');
      await eventually(() => provider.forms.length > 0);
      const [form] = provider.forms as [URLSearchParams];
      expect(form.getAll('RecordingStatusCallbackEvent')).toEqual(['in-progress', 'completed', 'absent']);
      expect(form.getAll('RecordingStatusCallback')).toEqual([recording.recording_status_callback]);
      expect(form.getAll('StatusCallbackEvent')).toEqual(['initiated', 'ringing', 'answered', 'completed']);
    } finally {
      await apart.remove();
      await provider.stop();
    }
  });
});

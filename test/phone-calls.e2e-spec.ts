import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { eventually } from './support/eventually.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';
import { freePort } from './support/free-port.js';
import { Installation } from './support/installation.js';
import { PROVIDER_SID, dialingEnvironment } from './support/provider-environment.js';
import { StubServer } from './support/stub-server.js';

let installation: Installation;
let signedWebhook: SendSignedWebhook;
let api: Api;
const params = { remote_request_params: { from: '2442' } };

beforeAll(async () => {
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  api = (await installation.start({ SIMULATOR_SPEED: '200', CALLS_PER_SECOND: '200' })).api;
});
afterAll(() => installation.remove());

let people = 0;

/** Creates a participation in a new or given callout, of a person whose number ends in these digits. */
async function participation(
  ending = '0000',
  calloutId?: number,
): Promise<{ id: number; callout: number; msisdn: string }> {
  const msisdn = `+85512${String(++people).padStart(2, '0')}${ending}`;
  const [contact] = await api.createContacts({ msisdn });
  const callout = calloutId ?? (await api.createCallout());
  const { body } = await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id: contact });
  return { id: body.id, callout, msisdn };
}

const makeCall = async (participationId: number, more: object = {}): Promise<Body> =>
  (await api.post(`/api/callout_participations/${participationId}/phone_calls`, { ...params, ...more })).body;

const queue = (id: number) => api.post(`/api/phone_calls/${id}/phone_call_events`, 'event=queue');

const status = async (id: number): Promise<string> => (await api.get(`/api/phone_calls/${id}`)).body.status;

const operation = async (type: string, parameters: object, calloutId?: number) =>
  api.post('/api/batch_operations', { type: `BatchOperation::${type}`, parameters, callout_id: calloutId });

describe('a phone call', () => {
  it('takes its number and contact from the participation, and has the keys of the contract in order', async () => {
    const { id, msisdn } = await participation();
    const answer = await api.post(`/api/callout_participations/${id}/phone_calls`, params);
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `/api/phone_calls/${answer.body.id}`]);
    expect(Object.keys(answer.body)).toEqual([
      'id',
      'callout_participation_id',
      'contact_id',
      'create_batch_operation_id',
      'queue_batch_operation_id',
      'queue_remote_fetch_batch_operation_id',
      'status',
      'msisdn',
      'remote_call_id',
      'remote_status',
      'remote_direction',
      'remote_error_message',
      'metadata',
      'remote_response',
      'remote_request_params',
      'remote_queue_response',
      'call_flow_logic',
      'remotely_queued_at',
      'created_at',
      'updated_at',
      'attempt',
    ]);
    expect(answer.body).toMatchObject({ callout_participation_id: id, msisdn, status: 'created', remote_response: {} });
  });

  it.each([
    [{}, { remote_request_params: ["can't be blank"] }],
    [{ remote_request_params: {} }, { remote_request_params: ["can't be blank"] }],
    [{ remote_request_params: 'x' }, { remote_request_params: ['must be an object'] }],
    [{ remote_request_params: { foo: 1 } }, { remote_request_params: ['is not included in the list'] }],
    [
      { msisdn: '12', nonsense: 1 },
      {
        msisdn: ['is an invalid number'],
        nonsense: ['is not a permitted parameter'],
        remote_request_params: ["can't be blank"],
      },
    ],
  ])('is rejected with %j', async (given, errors) => {
    const { id } = await participation();
    const answer = await api.post(`/api/callout_participations/${id}/phone_calls`, given);
    expect([answer.status, answer.body]).toEqual([422, { errors }]);
  });

  it('can be deleted only while its status is created, and blocks the deletion of its participation and callout', async () => {
    const { id, callout } = await participation('9901');
    const call = await makeCall(id);
    const refused = await api.delete(`/api/callout_participations/${id}`);
    expect(refused.body).toEqual({ errors: { base: ['Cannot delete record because dependent phone calls exist'] } });
    expect((await api.delete(`/api/callouts/${callout}`)).body.errors.base).toContain(
      'Cannot delete record because dependent phone calls exist',
    );
    expect((await api.delete(`/api/phone_calls/${(await makeCall(id)).id}`)).status).toBe(204);
    await queue(call.id);
    await eventually(async () => (await status(call.id)) === 'completed');
    expect((await api.delete(`/api/phone_calls/${call.id}`)).body).toEqual({
      errors: { base: ['Cannot delete record because status is completed'] },
    });
  });

  it('cannot be queued twice, or fetched before the provider has it', async () => {
    const { id } = await participation('9900');
    const call = await makeCall(id);
    const error = { errors: { event: ['is not included in the list'] } };
    expect((await api.post(`/api/phone_calls/${call.id}/phone_call_events`, 'event=queue_remote_fetch')).body).toEqual(
      error,
    );
    const both = await Promise.all([queue(call.id), queue(call.id)]);
    expect(both.map((answer) => answer.status).sort()).toEqual([201, 422]);
  });
});

describe('a queued call', () => {
  it.each([
    ['9900', 'completed', 'completed'],
    ['9902', 'busy', 'busy'],
    ['9903', 'not_answered', 'no-answer'],
    ['9904', 'failed', 'failed'],
  ])('to a number that ends in %s becomes %s', async (ending, expected, remote) => {
    const { id, msisdn } = await participation(ending);
    const { id: call } = await makeCall(id);
    await queue(call);
    await eventually(async () => (await status(call)) === expected);
    const { body } = await api.get(`/api/phone_calls/${call}`);
    expect(body).toMatchObject({ remote_status: remote, remote_direction: 'outbound-api', remote_error_message: null });
    expect(body.remote_call_id).toMatch(/^CA[0-9a-f]{32}$/);
    expect(body.remotely_queued_at).toMatch(/Z$/);
    expect(body.remote_queue_response).toMatchObject({ to: msisdn, from: '2442', sid: body.remote_call_id });
    const events = await eventually(async () => {
      const events = (await api.get(`/api/phone_calls/${call}/remote_phone_call_events`)).body;
      return events.length >= 3 && events;
    });
    for (const event of events) expect(event.details.CallSid).toBe(body.remote_call_id);
  });

  it('without a callout does not keep others from being dialed', async () => {
    await installation.query(`INSERT INTO phone_calls (msisdn, status) VALUES ('x', 'queued')`);
    const { id } = await makeCall((await participation('9900')).id);
    await queue(id);
    await eventually(async () => (await status(id)) === 'completed');
    await installation.query(`DELETE FROM phone_calls WHERE msisdn = 'x' AND status = 'queued'`);
  });

  it('that the provider refuses is errored with the reason, and was never queued at the provider', async () => {
    const { id } = await participation('9921');
    const { id: call } = await makeCall(id);
    await queue(call);
    await eventually(async () => (await status(call)) === 'errored');
    const { body } = await api.get(`/api/phone_calls/${call}`);
    expect(body.remote_error_message).toContain('21211');
    expect([body.remotely_queued_at, body.remote_call_id]).toEqual([null, null]);
  });

  it('whose response was lost is uncertain until a callback shows that the provider has it', async () => {
    // The simulator returns 500 for this number and has no such call. The only callback is the one of this test.
    const { id } = await participation('9950');
    const { id: call } = await makeCall(id);
    await queue(call);
    await eventually(async () => (await status(call)) === 'uncertain');
    expect((await api.get(`/api/phone_calls/${call}`)).body).toMatchObject({
      remote_call_id: null,
      remote_status: null,
    });
    const details = {
      CallSid: 'CA-late-news',
      CallStatus: 'in-progress',
      Direction: 'outbound-api',
      SequenceNumber: '2',
    };
    expect((await signedWebhook(api, details, { query: `?phone_call_id=${call}` })).status).toBe(201);
    expect((await api.get(`/api/phone_calls/${call}`)).body).toMatchObject({
      status: 'in_progress',
      remote_call_id: 'CA-late-news',
      remote_status: 'in-progress',
    });
  });

  it('whose response was lost is found in the list of the provider, which accepted it', async () => {
    const { id } = await participation('9951');
    const { id: call } = await makeCall(id, {
      remote_request_params: { from: '2442', status_callback: 'http://127.0.0.1:1/' },
    });
    await queue(call);
    await eventually(async () => (await status(call)) === 'uncertain');
    await eventually(async () => (await api.get(`/api/phone_calls/${call}`)).body.remote_call_id?.startsWith('CA'));
    expect((await api.get(`/api/phone_calls/${call}`)).body.remote_response.to).toMatch(/9951$/);
  });

  it('waits while its callout is paused, is dialed after resume, and is canceled after stop', async () => {
    const { id, callout } = await participation('9900');
    const event = (name: string) => api.post(`/api/callouts/${callout}/callout_events`, { event: name });
    await event('start');
    await event('pause');
    const { id: call } = await makeCall(id);
    await queue(call);
    // A call of another callout, queued later, has ended: this one was passed over.
    const other = await participation('9902');
    const { id: otherCall } = await makeCall(other.id);
    await queue(otherCall);
    await eventually(async () => (await status(otherCall)) === 'busy');
    expect(await status(call)).toBe('queued');
    await event('resume');
    await eventually(async () => (await status(call)) === 'completed');
    await event('pause');
    const { id: late } = await makeCall(id);
    await queue(late);
    await event('stop');
    await eventually(async () => (await status(late)) === 'canceled');
  });
});

describe('a callout whose flow is not ready', () => {
  it.each([
    [{}, "The callout's metadata have no message and no audio_url: nobody was called."],
    [
      { message: 'Run!', language: 'Khmer!' },
      "The callout's language must be a language such as en-GB: nobody was called.",
    ],
    [{ message: 'Run!', thanks: 5 }, "The callout's thanks must be a text: nobody was called."],
  ])('calls nobody, however its calls were queued: %j', async (metadata, message) => {
    const { body: callout } = await api.post('/api/callouts', {
      call_flow_logic: 'CallFlowLogic::PlayMessage',
      metadata,
    });
    expect((await api.post(`/api/callouts/${callout.id}/callout_events`, 'event=start')).status).toBe(422);
    const { id } = await participation('9900', callout.id);
    const { id: call } = await makeCall(id);
    await queue(call);
    await eventually(async () => (await status(call)) === 'errored');
    expect((await api.get(`/api/phone_calls/${call}`)).body).toMatchObject({
      remote_error_message: message,
      remote_call_id: null,
    });
    // TwiML of the client does not need the flow.
    const own = await makeCall(id, { remote_request_params: { from: '2442', twiml: '<Response/>' } });
    await queue(own.id);
    await eventually(async () => (await status(own.id)) === 'completed');
  });

  /**
   * Queues a call of a PlayMessage callout with a `url` of the client.
   * @returns the call after its end
   */
  async function dialWithUrl(metadata: object, url: string): Promise<Body> {
    const flow = 'CallFlowLogic::PlayMessage';
    const { body: callout } = await api.post('/api/callouts', { call_flow_logic: flow, metadata });
    const { id } = await participation('9900', callout.id);
    const call = await makeCall(id, { remote_request_params: { from: '2442', url, method: 'GET' } });
    await queue(call.id);
    return eventually(async () => {
      const { body } = await api.get(`/api/phone_calls/${call.id}`);
      return ['completed', 'errored'].includes(body.status) && body;
    });
  }
  const transcript = async ({ remote_call_id: sid }: Body): Promise<Body[]> =>
    (await api.get(`/simulator/calls/${sid}/transcript`)).body;

  it.each(['', '/', '?a=1', '.xml', '/?a=1'])(
    "calls nobody when the client's url is our webhook followed by %j",
    async (end) => {
      const call = await dialWithUrl({}, `${api.url}/api/remote_phone_call_events${end}`);
      expect(call).toMatchObject({
        status: 'errored',
        remote_error_message: "The callout's metadata have no message and no audio_url: nobody was called.",
        remote_call_id: null,
      });
    },
  );

  it("fetches the client's url when that is another address", async () => {
    const url = `${api.url}/api/remote_phone_call_events/none`;
    const call = await dialWithUrl({}, url);
    expect(call.status).toBe('completed');
    expect(await transcript(call)).toContainEqual({ fetched: url });
  });

  it("says its message when the client's url is our webhook and there is a message", async () => {
    const call = await dialWithUrl({ message: 'Run!' }, `${api.url}/api/remote_phone_call_events`);
    expect(await transcript(call)).toContainEqual({ said: 'Run!' });
  });
});

describe('a limit of calls in flight', () => {
  it('does not count inbound, uncertain or postponed calls', async () => {
    const apart = await Installation.create();
    try {
      const { api: limited } = await apart.start({ MAX_CALLS_IN_FLIGHT: '1', SIMULATOR_SPEED: '200' });
      const [contact_id] = await limited.createContacts({ msisdn: '+85512009900' });
      const callout = await limited.createCallout();
      const joined = await limited.post(`/api/callouts/${callout}/callout_participations`, { contact_id });
      const path = `/api/callout_participations/${joined.body.id}/phone_calls`;
      const made = await Promise.all([1, 2, 3].map(() => limited.post(path, params)));
      const [first, second, third] = made.map(({ body }) => body.id);
      const later = `'2999-01-01T00:00:00.000Z'`;
      const soon = new Date(Date.now() + 30_000).toISOString();
      for (const statement of [
        `UPDATE phone_calls SET status = 'uncertain', check_at = ${later} WHERE id = ${first}`,
        `UPDATE phone_calls SET status = 'queued', refusals = 1, postponed_until = '${soon}' WHERE id = ${second}`,
        `INSERT INTO phone_calls (contact_id, msisdn, status, remote_call_id, check_at)
          VALUES (${contact_id}, 'x', 'in_progress', 'CA-inbound', ${later})`,
      ]) {
        await apart.query(statement);
      }
      await limited.post(`/api/phone_calls/${third}/phone_call_events`, 'event=queue');
      await eventually(async () => (await limited.get(`/api/phone_calls/${third}`)).body.status === 'completed');
    } finally {
      await apart.remove();
    }
  });
});

describe('the batch operations on phone calls', () => {
  it('preview, create, queue and fetch, and list their results', async () => {
    const callout = await api.createCallout();
    for (const ending of ['9900', '9902', '9900']) await participation(ending, callout);
    const created = await operation('PhoneCallCreate', params, callout);
    expect(created.status).toBe(201);
    const path = `/api/batch_operations/${created.body.id}`;
    const preview = await api.listIds(`${path}/preview/callout_participations`);
    expect(preview).toHaveLength(3);
    expect(await api.listIds(`${path}/preview/contacts`)).toHaveLength(3);
    expect((await api.get(`${path}/preview/phone_calls`)).status).toBe(404);
    expect((await api.runBatchOperation(created.body.id)).progress).toEqual({ processed: 3, total: 3 });
    const calls = await api.listIds(`${path}/phone_calls`);
    expect(calls).toEqual(await api.listIds(`/api/callouts/${callout}/phone_calls`));
    expect(await api.listIds(`${path}/callout_participations`)).toEqual(preview);

    const queued = await operation(
      'PhoneCallQueue',
      { limit: 2, callout_filter_params: { status: 'initialized' } },
      callout,
    );
    expect(await api.listIds(`/api/batch_operations/${queued.body.id}/preview/phone_calls`)).toEqual(calls.slice(0, 2));
    expect((await api.runBatchOperation(queued.body.id)).progress).toEqual({ processed: 2, total: 2 });
    expect(await api.listIds(`/api/batch_operations/${queued.body.id}/phone_calls`)).toEqual(calls.slice(0, 2));
    await eventually(async () => (await status(calls[1]!)) === 'busy');
    expect(await status(calls[2]!)).toBe('created');
    const attempted = `/api/callouts/${callout}/callout_participations?q[last_phone_call_attempt]=busy,failed`;
    expect(await api.listIds(attempted)).toEqual([preview[1]]);
    const again = await operation(
      'PhoneCallCreate',
      { ...params, callout_participation_filter_params: { no_phone_calls_or_last_attempt: 'busy' } },
      callout,
    );
    expect(await api.listIds(`/api/batch_operations/${again.body.id}/preview/callout_participations`)).toEqual([
      preview[1],
    ]);
  });

  it('report their errors', async () => {
    const empty = await api.createCallout();
    expect((await operation('PhoneCallCreate', {}, empty)).body).toEqual({
      errors: { remote_request_params: ["can't be blank"] },
    });
    expect((await operation('PhoneCallCreate', params, empty)).body).toEqual({
      errors: { callout_participations_preview: ["can't be blank"] },
    });
    expect((await operation('PhoneCallQueue', {}, empty)).body).toEqual({
      errors: { phone_calls_preview: ["can't be blank"] },
    });
    const skipped = { skip_validate_preview_presence: 'true' };
    expect((await operation('PhoneCallQueueRemoteFetch', skipped, empty)).status).toBe(201);
    const wrong = {
      limit: 'x',
      max_per_period_statuses: ['nonsense'],
      phone_call_filter_params: { nonsense: 1 },
      other: 1,
    };
    expect(Object.keys((await operation('PhoneCallQueue', wrong, empty)).body.errors).sort()).toEqual(
      Object.keys(wrong).sort(),
    );
    expect(
      (await operation('PhoneCallQueue', { max_per_period: 1, max_per_period_hours: 876_001 }, empty)).body,
    ).toEqual({
      errors: { max_per_period_hours: ['must be at most 876000'] },
    });
    const longest = { ...skipped, max_per_period: 1, max_per_period_hours: 876_000 };
    const { body } = await operation('PhoneCallQueue', longest, empty);
    expect((await api.get(`/api/batch_operations/${body.id}/preview/phone_calls`)).status).toBe(200);
  });

  it('accept thousands of values in each of several filters', async () => {
    const values = (id: number) => [...Array(4_999).fill('1'), id].join(',');
    const [id] = await api.createContacts({ msisdn: '+85510209101' });
    const callout = await api.createCallout();
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=pause');
    const population = await api.createPopulation(callout, { contact_filter_params: { msisdn: '+85510209101' } });
    await api.runBatchOperation(population);
    const [participation] = (await api.get(`/api/callouts/${callout}/callout_participations`)).body;
    const created = await operation('PhoneCallCreate', { remote_request_params: { from: '2442' } }, callout);
    await api.runBatchOperation(created.body.id);
    const { body, status } = await operation(
      'PhoneCallQueue',
      {
        callout_participation_filter_params: {
          contact_id: values(id!),
          callout_id: values(callout),
          callout_population_id: values(population),
        },
        phone_call_filter_params: {
          contact_id: values(id!),
          callout_id: values(callout),
          callout_participation_id: values(participation.id),
        },
      },
      callout,
    );
    expect(status).toBe(201);
    expect((await api.get(`/api/batch_operations/${body.id}/preview/phone_calls`)).headers.get('total')).toBe('1');
    expect(await api.runBatchOperation(body.id)).toMatchObject({
      status: 'finished',
      progress: { processed: 1, total: 1 },
    });
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=stop');
    await eventually(async () => (await api.get(`/api/callouts/${callout}/phone_calls`)).body[0].status === 'canceled');
  });

  it('queue as many calls as max_per_period leaves', async () => {
    const callout = await api.createCallout();
    for (const _ of [1, 2, 3]) await makeCall((await participation('9900', callout)).id);
    const used = (await api.get('/api/phone_calls?q[created_at_after]=2000-01-01&per_page=1')).headers.get('total');
    const limits = {
      max: 10,
      max_per_period: Number(used) + 1,
      max_per_period_timestamp_attribute: 'created_at',
    };
    const { body } = await operation('PhoneCallQueue', limits, callout);
    const leaves = async (more: object): Promise<number> => {
      const made = await operation('PhoneCallQueue', { ...limits, ...more }, callout);
      return (await api.listIds(`/api/batch_operations/${made.body.id}/preview/phone_calls`)).length;
    };
    expect(await api.listIds(`/api/batch_operations/${body.id}/preview/phone_calls`)).toHaveLength(1);
    const skip = { skip_validate_preview_presence: true };
    expect(await leaves({ max_per_period: Number(used) + 2 })).toBe(2);
    expect(await leaves({ max_per_period: Number(used) + 2, max: 1 })).toBe(1);
    expect(await leaves({ limit: 3 })).toBe(3);
    expect(await leaves({ max_per_period: 1, ...skip })).toBe(0);
    const failed = Number((await api.get('/api/phone_calls?q[status]=failed')).headers.get('total'));
    expect(await leaves({ max_per_period: failed + 2, max_per_period_statuses: 'failed' })).toBe(2);
    await installation.query(
      `UPDATE phone_calls SET created_at = '2020-01-01T00:00:00.000Z' WHERE callout_id <> ${callout}`,
    );
    expect(await leaves({ max_per_period: 5 })).toBe(2);
    expect(await leaves({ max_per_period: 3, max_per_period_hours: 100_000, ...skip })).toBe(0);
  });
});

describe('max_per_period', () => {
  const limits = { max_per_period: 10, max_per_period_statuses: 'remotely_queued,completed' };

  /** Creates a paused callout with calls in `created`. Its queued calls wait. */
  async function waitingCallout(calls: number): Promise<number> {
    const callout = await api.createCallout();
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=pause');
    const { id } = await participation('9900', callout);
    for (let n = 0; n < calls; n++) await makeCall(id);
    return callout;
  }

  const queuedIn = async (callout: number): Promise<number> =>
    Number((await api.get(`/api/callouts/${callout}/phone_calls?q[status]=queued`)).headers.get('total'));

  it('counts queued calls that wait, in consecutive and concurrent runs', async () => {
    await installation.query(`UPDATE phone_calls SET remotely_queued_at = NULL`);
    const callout = await waitingCallout(30);
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map(async () => (await operation('PhoneCallQueue', limits, callout)).body.id),
    );
    await Promise.all([api.runBatchOperation(one), api.runBatchOperation(two)]);
    expect(await queuedIn(callout)).toBe(10);
    expect((await api.runBatchOperation(three)).progress).toEqual({ processed: 0, total: 0 });
    expect(await api.listIds(`/api/batch_operations/${three}/preview/phone_calls`)).toEqual([]);
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=stop');
    await eventually(async () => (await queuedIn(callout)) === 0);
  });

  it('counts uncertain calls, which may have been placed, whatever statuses it counts', async () => {
    await installation.query(`UPDATE phone_calls SET remotely_queued_at = NULL`);
    const callout = await waitingCallout(16);
    const soon = new Date(Date.now() + 60_000).toISOString();
    const uncertain = (await api.listIds(`/api/callouts/${callout}/phone_calls`)).slice(0, 4).join(',');
    await installation.query(
      `UPDATE phone_calls SET status = 'uncertain', check_at = '${soon}' WHERE id IN (${uncertain})`,
    );
    const { body } = await operation('PhoneCallQueue', limits, callout);
    expect(await api.listIds(`/api/batch_operations/${body.id}/preview/phone_calls`)).toHaveLength(6);
    await api.runBatchOperation(body.id);
    expect(await queuedIn(callout)).toBe(6);
    await installation.query(`UPDATE phone_calls SET status = 'errored', check_at = NULL WHERE id IN (${uncertain})`);
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=stop');
    await eventually(async () => (await queuedIn(callout)) === 0);
  });
});

describe('a barred account', () => {
  const telephony = async () => (await api.get('/health/ready')).body.details.telephony;

  /** Creates a queued call that the provider has just refused without an effect. It waits for most of a minute. */
  async function waitingCall(): Promise<{ callout: number }> {
    const { id, callout } = await participation('9900');
    const call = await makeCall(id);
    const later = new Date(Date.now() + 55_000).toISOString();
    await installation.query(
      `UPDATE phone_calls SET status = 'queued', refusals = 1, postponed_until = '${later}' WHERE id = ${call.id}`,
    );
    return { callout };
  }

  /** Stops a callout, and waits until its queued call is canceled. */
  async function stop(callout: number): Promise<void> {
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=stop');
    await eventually(async () => (await api.get(`/api/callouts/${callout}/phone_calls`)).body[0].status === 'canceled');
  }

  it('pauses dialing, is shown by /health/ready, and ends without intervention', async () => {
    expect((await api.put('/simulator/faults', { account: 20003 })).status).toBe(200);
    const { id } = await participation('9900');
    const { id: call } = await makeCall(id);
    await queue(call);
    await eventually(async () => (await telephony()).dialling === 'paused');
    expect(await telephony()).toMatchObject({ status: 'up', reason: expect.stringContaining('20003') });
    expect(await status(call)).toBe('queued');
    await api.delete('/simulator/faults');
    await eventually(async () => (await status(call)) === 'completed');
    await eventually(async () => (await telephony()).dialling === 'on');
  });

  it('is no longer shown when nothing was dialed since', async () => {
    const long = Date.now() - 600_000;
    await installation.query(
      `UPDATE paces SET paused_until = ${long}, reason = 'Authenticate (20003)', pauses = 3 WHERE name = 'dial'`,
    );
    expect((await api.get('/health/ready')).body.details.telephony).toMatchObject({ dialling: 'on' });
  });

  it.each([
    ['accepts a call', '9900', 'completed'],
    ['refuses a call because of its number', '9921', 'errored'],
  ])('is no longer shown when the provider %s, although other calls wait', async (_, ending, expected) => {
    const { callout } = await waitingCall();
    await api.put('/simulator/faults', { account: 20003 });
    const { id } = await participation(ending);
    const { id: call } = await makeCall(id);
    await queue(call);
    await eventually(async () => (await telephony()).dialling === 'paused');
    await api.delete('/simulator/faults');
    await eventually(async () => (await status(call)) === expected);
    expect(await telephony()).toMatchObject({ dialling: 'on' });
    await stop(callout);
  });

  it('is shown after a pause only while calls wait for the first try', async () => {
    const justOver = Date.now() - 1_000;
    await installation.query(
      `UPDATE paces SET paused_until = ${justOver}, reason = 'Authenticate (20003)', pauses = 1 WHERE name = 'dial'`,
    );
    expect(await telephony()).toEqual({ status: 'up', dialling: 'on' });
    const { callout } = await waitingCall();
    expect(await telephony()).toMatchObject({ dialling: 'paused', reason: 'Authenticate (20003)' });
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=pause');
    expect(await telephony()).toMatchObject({ dialling: 'on' });
    await stop(callout);
  });

  it('is shown during the whole pause, even if no call waits and an earlier request is accepted', async () => {
    let release!: () => void;
    const after = new Promise<void>((resolve) => (release = resolve));
    const body = JSON.stringify({ sid: 'CA1', status: 'queued', direction: 'outbound-api' });
    const provider = await StubServer.start({
      [`/simulator/2010-04-01/Accounts/${PROVIDER_SID}/Calls.json`]: { status: 201, body, after },
    });
    const apart = await Installation.create();
    try {
      const { api: slow } = await apart.start({
        ...dialingEnvironment(provider.url),
        PUBLIC_URL: 'https://warn.example',
      });
      const [contact_id] = await slow.createContacts({ msisdn: '+85512009900' });
      const joined = await slow.post(`/api/callouts/${await slow.createCallout()}/callout_participations`, {
        contact_id,
      });
      const { body: made } = await slow.post(`/api/callout_participations/${joined.body.id}/phone_calls`, params);
      await slow.post(`/api/phone_calls/${made.id}/phone_call_events`, 'event=queue');
      await eventually(() => provider.forms.length > 0);
      await apart.query(
        `UPDATE paces SET paused_until = ${Date.now() + 55_000}, reason = 'Authenticate (20003)', pauses = 7
          WHERE name = 'dial'`,
      );
      release();
      await eventually(async () => (await slow.get(`/api/phone_calls/${made.id}`)).body.status === 'remotely_queued');
      const { details } = (await slow.get('/health/ready')).body;
      expect(details.telephony).toMatchObject({ dialling: 'paused', reason: 'Authenticate (20003)' });
    } finally {
      await apart.remove();
      await provider.stop();
    }
  });

  it('includes a provider that cannot be reached', async () => {
    const apart = await Installation.create();
    try {
      const { api: cut } = await apart.start({
        PLATFORM_PROVIDER: 'somleng',
        PUBLIC_URL: 'http://127.0.0.1:1',
        SOMLENG_ACCOUNT_SID: 'x',
        SOMLENG_AUTH_TOKEN: 'x',
        SOMLENG_CLIENT_REST_API_BASE_URL: `http://127.0.0.1:${await freePort()}`,
      });
      const [contact_id] = await cut.createContacts({ msisdn: '+85512009900' });
      const joined = await cut.post(`/api/callouts/${await cut.createCallout()}/callout_participations`, {
        contact_id,
      });
      const { body } = await cut.post(`/api/callout_participations/${joined.body.id}/phone_calls`, params);
      await cut.post(`/api/phone_calls/${body.id}/phone_call_events`, 'event=queue');
      const ready = await eventually(async () => {
        const { body: shown } = await cut.get('/health/ready');
        return shown.details.telephony.dialling === 'paused' && shown;
      });
      expect(ready.details.telephony.reason).toBe('The provider cannot be reached: ECONNREFUSED');
      expect((await cut.get(`/api/phone_calls/${body.id}`)).body.status).toBe('queued');
    } finally {
      await apart.remove();
    }
  });
});

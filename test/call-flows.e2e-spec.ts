import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { type Delivery, Relay } from './support/relay.js';
import { callIn, dialParticipation, setPersonBehavior } from './support/simulated-calls.js';
import { type SendSignedWebhook, signedWebhookSender } from './support/signed-webhooks.js';

let installation: Installation;
let signedWebhook: SendSignedWebhook;
let relay: Relay;
let programs: Api[];
let api: Api;
let numbers = 0;

beforeAll(async () => {
  relay = await Relay.start();
  installation = await Installation.create();
  signedWebhook = signedWebhookSender(installation);
  const settings = {
    PUBLIC_URL: relay.url,
    INBOUND_CALL_FLOW_LOGIC: 'CallFlowLogic::Registration',
    SIMULATOR_SPEED: '300',
    CALLS_PER_SECOND: '200',
  };
  const first = await installation.start(settings);
  const second = await installation.start({ ...settings, SCFM_ROLE: 'web' });
  programs = [first.api, second.api];
  api = first.api;
  deliver('in turn');
});
afterAll(async () => {
  await installation.remove();
  await relay.stop();
});

const deliver = (delivery: Delivery): void => {
  relay.forwardTo(
    programs.map(({ url }) => url),
    delivery,
  );
};

/** Returns a number that was not used before. */
const number = (): string => `+85570${String(1_000_000 + ++numbers)}`;
const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

const contactOf = async (msisdn: string): Promise<Body> =>
  (await api.get(`/api/contacts?q[msisdn]=${encodeURIComponent(msisdn)}`)).body[0];

/** Creates a callout that plays a message, and starts it. */
async function flood(metadata: object = { message: 'The river is rising.' }, start = true): Promise<number> {
  const { body } = await api.post('/api/callouts', { call_flow_logic: 'CallFlowLogic::PlayMessage', metadata });
  if (start) expect((await api.post(`/api/callouts/${body.id}/callout_events`, 'event=start')).status).toBe(201);
  return body.id;
}

/** Creates a participation of a new person, who behaves like this when called. */
async function participant(calloutId: number, behavior: object): Promise<{ id: number; msisdn: string }> {
  const msisdn = number();
  await setPersonBehavior(api, msisdn, behavior);
  const [contact_id] = await api.createContacts({ msisdn });
  const { body } = await api.post(`/api/callouts/${calloutId}/callout_participations`, { contact_id });
  return { id: body.id, msisdn };
}

const participation = async (id: number): Promise<Body> => (await api.get(`/api/callout_participations/${id}`)).body;

describe.each<Delivery>(['in turn', 'twice', 'twice at once'])('with each webhook delivered %s', (delivery) => {
  beforeAll(() => deliver(delivery));

  it.each([
    ['answers all', ['1', '4', '1'], { language: 'km', province: 'Pursat', registered_at: isoTime }, 3],
    ['presses nothing', [], {}, 3],
    ['presses nonsense', ['7', '#', '*'], {}, 3],
    ['is silent, presses nonsense, and is silent again', ['', '7', ''], {}, 3],
    [
      'presses a wrong key at each question',
      ['7', '2', '', '8', '5', '4', '1'],
      { language: 'en', province: 'Siem Reap', registered_at: isoTime },
      7,
    ],
    ['hangs up at once', ['hangup'], {}, 1],
    ['hangs up at the second question', ['1', 'hangup'], { language: 'km' }, 2],
    ['hangs up at the confirmation', ['1', '4', 'hangup'], { language: 'km', province: 'Pursat' }, 3],
    [
      'begins again',
      ['1', '4', '2', '2', '5', '1'],
      { language: 'en', province: 'Siem Reap', registered_at: isoTime },
      6,
    ],
    ['wants no calls', ['9'], { do_not_call: { at: isoTime, callout_id: null } }, 1],
  ] as [string, string[], object, number][])('registers a person who %s', async (_, keys, metadata, questions) => {
    const msisdn = number();
    const { said, questions: asked, errors } = await callIn(api, msisdn, keys);
    expect(errors).toEqual([]);
    expect((await contactOf(msisdn)).metadata).toEqual(metadata);
    expect(asked).toHaveLength(questions);
    expect(said[0]).toMatch(/^Welcome/);
    if (!keys.some((key) => key === 'hangup')) expect(said.at(-1)).toMatch(/Goodbye\.$/);
    const { id } = await contactOf(msisdn);
    const call = await eventually(async () => {
      const [shown] = (await api.get(`/api/contacts/${id}/phone_calls`)).body;
      return shown.status === 'completed' && shown;
    });
    expect(call.call_flow_logic).toBe('CallFlowLogic::Registration');
  });

  it.each([
    ['confirms', { keys: ['1'] }, { confirmed_at: isoTime }, 1, 1],
    ['presses nothing', { keys: [] }, {}, 1, 3],
    ['presses nonsense', { keys: ['5', '6', '7'] }, {}, 1, 3],
    ['hears it twice again and confirms', { keys: ['2', '2', '1'] }, { confirmed_at: isoTime }, 3, 3],
    ['wants to hear it again for ever', { keys: Array(20).fill('2') }, {}, 4, 6],
    ['hangs up at the question', { keys: ['hangup'] }, {}, 1, 1],
    ['hangs up after hearing it again', { keys: ['2', 'hangup'] }, {}, 2, 2],
    ['presses a wrong key, then confirms', { keys: ['', '8', '1'] }, { confirmed_at: isoTime }, 1, 3],
    ['wants no more calls', { keys: ['9'] }, {}, 1, 1],
  ] as [string, object, object, number, number][])(
    'warns a person who %s',
    async (_, behavior, metadata, heard, questions) => {
      const callout = await flood();
      const { id, msisdn } = await participant(callout, behavior);
      const { call, talk } = await dialParticipation(api, id);
      expect(talk.errors).toEqual([]);
      expect(call).toMatchObject({ status: 'completed', call_flow_logic: 'CallFlowLogic::PlayMessage' });
      expect((await participation(id)).metadata).toEqual(metadata);
      expect(talk.said.filter((text) => text === 'The river is rising.')).toHaveLength(heard);
      expect(talk.questions).toHaveLength(questions);
      const optsOut = 'keys' in behavior && (behavior.keys as string[])[0] === '9';
      expect((await contactOf(msisdn)).metadata).toEqual(
        optsOut ? { do_not_call: { at: isoTime, callout_id: callout } } : {},
      );
    },
  );

  it('stores each step once', async () => {
    const msisdn = number();
    expect((await callIn(api, msisdn, ['1', '4', '1'])).errors).toEqual([]);
    const contact = await contactOf(msisdn);
    const body = await eventually(async () => {
      const events = (await api.get(`/api/contacts/${contact.id}/remote_phone_call_events`)).body;
      return events.some(({ details }: Body) => details.CallStatus === 'completed') && events;
    });
    // The first question, three answers, and the end.
    expect(body.map(({ details }: Body) => details.Digits ?? details.CallStatus)).toEqual([
      'ringing',
      '1',
      '4',
      '1',
      'completed',
    ]);
  });
});

describe('a webhook for a step that is not the current one', () => {
  beforeAll(() => deliver('in turn'));

  it('gets the last document again, and changes nothing', async () => {
    const From = number();
    const about = { CallSid: 'CA-late', Direction: 'inbound', From, To: '2442', CallStatus: 'in-progress' };
    const relayed = { url: relay.url, send: api.send.bind(api) } as Api;
    const step = (query: string, Digits?: string) =>
      signedWebhook(relayed, { ...about, ...(Digits && { Digits }) }, { query });
    const first = await step('');
    const { id } = (await api.get(`/api/contacts/${(await contactOf(From)).id}/phone_calls`)).body[0];
    const query = (n: number): string => `?asked=1&phone_call_id=${id}&step=${n}`;
    expect(first.text).toContain(`?asked=1&amp;phone_call_id=${id}&amp;step=1"`);
    const second = await step(query(1), '1');
    expect(second.text).toContain('Where do you live?');
    // The same step with another key, a future step, and the first document again.
    expect((await step(query(1), '2')).text).toBe(second.text);
    expect((await step(query(7), '2')).text).toBe(second.text);
    expect((await step('', undefined)).text).toBe(first.text);
    expect((await contactOf(From)).metadata).toEqual({ language: 'km' });
    expect((await step(query(2), '4')).text).toContain('You chose Khmer, and Pursat.');
  });
});

describe('a call in progress', () => {
  beforeAll(() => deliver('in turn'));

  it('keeps the flow that it began with, even if its callout gets another flow or loses its message', async () => {
    const callout = await flood();
    const { id, msisdn } = await participant(callout, { keys: ['hangup'] });
    const { call } = await dialParticipation(api, id);
    const changes = { call_flow_logic: 'CallFlowLogic::Registration', metadata: { message: '' } };
    expect((await api.patch(`/api/callouts/${callout}`, changes)).status).toBe(204);
    const relayed = { url: relay.url, send: api.send.bind(api) } as Api;
    const pressed = { CallSid: call.remote_call_id, CallStatus: 'in-progress', Digits: '1', Direction: 'outbound-api' };
    const query = `?phone_call_id=${call.id}&step=1&asked=1`;
    expect((await signedWebhook(relayed, pressed, { query })).text).toContain('Thank you. Goodbye.');
    expect((await participation(id)).metadata).toEqual({ confirmed_at: isoTime });
    expect((await contactOf(msisdn)).metadata).toEqual({});
  });
});

describe('the first document', () => {
  beforeAll(() => deliver('in turn'));

  it('is sent with the call, so that no webhook arrives before a key is pressed', async () => {
    const { id } = await participant(await flood(), { keys: [] });
    const { talk } = await dialParticipation(api, id);
    expect(talk.fetches).toEqual([]);
    const { body } = await api.post('/api/callouts');
    const greeted = await participant(body.id, { keys: [] });
    expect((await dialParticipation(api, greeted.id)).talk).toMatchObject({
      fetches: [],
      said: ['Hello. This is the Simple Call Flow Manager. Goodbye.'],
    });
  });

  it('is requested by POST from our own URL, whatever method the client chose', async () => {
    const { id } = await participant(await flood(), { keys: ['1'] });
    const given = { method: 'GET', status_callback_method: 'GET', machine_detection: 'Enable' };
    const { talk } = await dialParticipation(api, id, given);
    expect([talk.errors, talk.said[0]]).toEqual([[], 'The river is rising.']);
    expect((await participation(id)).metadata).toEqual({ confirmed_at: isoTime });
  });

  it('is requested if it is too long to be sent', async () => {
    const message = 'The river is rising. '.repeat(190).trim();
    const { id } = await participant(await flood({ message }), { keys: ['1'] });
    const { talk } = await dialParticipation(api, id);
    expect(talk.fetches).toHaveLength(2);
    expect(talk.said[0]).toBe(message);
    expect((await participation(id)).metadata).toEqual({ confirmed_at: isoTime });
  });

  it.each([
    'ទឹកកំពុងឡើង សូមឡើងទៅទីខ្ពស់',
    'الماء يرتفع، اصعدوا إلى مكان مرتفع',
    '🌊 &amp; <b>"fast"</b> \'now\' ]]> \\ % {x}',
    '河水上涨\n请到高处',
  ])('says any text unchanged: %s', async (message) => {
    const callout = await flood({ message, language: 'km-KH', voice: 'Google.km-KH-Standard-A', thanks: message });
    const { id } = await participant(callout, { keys: ['1'] });
    const { talk } = await dialParticipation(api, id);
    expect(talk.errors).toEqual([]);
    expect([talk.said[0], talk.said.at(-1)]).toEqual([message, message]);
  });

  it('can be a recording, whose URL is passed to the provider', async () => {
    const audio_url = 'https://example.org/flood.mp3?a=1&b=2';
    const { id } = await participant(await flood({ audio_url, prompt_audio_url: 'http://example.org/p.mp3' }), {
      keys: [],
    });
    const { talk } = await dialParticipation(api, id);
    expect(talk.played.slice(0, 2)).toEqual([audio_url, 'http://example.org/p.mp3']);
  });
});

describe('an answering machine', () => {
  beforeAll(() => deliver('in turn'));

  it('gets the message, is recorded as answered_by, and never confirms', async () => {
    const callout = await flood();
    const { id } = await participant(callout, { machine: true, keys: ['1', '1', '1'] });
    const { call, talk } = await dialParticipation(api, id, { machine_detection: 'Enable' });
    expect(call).toMatchObject({ status: 'completed', metadata: { answered_by: 'machine_start' } });
    expect([talk.said, talk.questions]).toEqual([['The river is rising.'], []]);
    expect((await participation(id)).metadata).toEqual({});
  });

  it('is distinguished from a person', async () => {
    const { id } = await participant(await flood(), { keys: ['1'] });
    const { call } = await dialParticipation(api, id, { machine_detection: 'DetectMessageEnd' });
    expect(call.metadata).toEqual({ answered_by: 'human' });
    expect((await participation(id)).metadata).toEqual({ confirmed_at: isoTime });
  });

  it('that is detected during the call has not confirmed, whatever keys it pressed', async () => {
    const { id } = await participant(await flood(), { machine: true, keys: ['1'] });
    const { call, talk } = await dialParticipation(api, id, { machine_detection: 'Enable', async_amd: true });
    expect(talk.fetches).toHaveLength(1);
    await eventually(
      async () => (await api.get(`/api/phone_calls/${call.id}`)).body.metadata.answered_by === 'machine_start',
    );
    expect((await participation(id)).metadata.confirmed_at ?? null).toBeNull();
  });

  it('is also detected when the provider is polled', async () => {
    const { id } = await participant(await flood(), { machine: true, keys: ['1'] });
    // The provider's callback goes nowhere, so only a fetch can tell.
    const silent = { machine_detection: 'Enable', async_amd: true, async_amd_status_callback: 'http://127.0.0.1:1/' };
    const { call } = await dialParticipation(api, id, silent);
    expect((await participation(id)).metadata).toEqual({ confirmed_at: isoTime });
    await installation.query(`UPDATE phone_calls SET status = 'remotely_queued' WHERE id = ${call.id}`);
    await api.post(`/api/phone_calls/${call.id}/phone_call_events`, 'event=queue_remote_fetch');
    await eventually(async () => (await participation(id)).metadata.confirmed_at === null);
    expect((await api.get(`/api/phone_calls/${call.id}`)).body.metadata).toEqual({ answered_by: 'machine_start' });
  });

  it('that is detected after the call has not confirmed', async () => {
    const { id } = await participant(await flood(), { keys: ['1'] });
    const { call } = await dialParticipation(api, id);
    expect((await participation(id)).metadata).toEqual({ confirmed_at: isoTime });
    const relayed = { url: relay.url, send: api.send.bind(api) } as Api;
    const late = { CallSid: call.remote_call_id, AnsweredBy: 'machine_end_beep', MachineDetectionDuration: '3000' };
    expect((await signedWebhook(relayed, late)).status).toBe(201);
    expect((await participation(id)).metadata).toEqual({ confirmed_at: null });
    expect((await api.get(`/api/phone_calls/${call.id}`)).body.metadata).toEqual({ answered_by: 'machine_end_beep' });
  });
});

describe('a callout that plays a message', () => {
  it.each([
    [{}, { message: ["can't be blank"] }],
    [{ message: '  ' }, { message: ["can't be blank"] }],
    [{ message: 'a\u000bb' }, { message: ['has a character that cannot be said'] }],
    [{ audio_url: 'https://a b/c' }, { audio_url: ['must be an http or https URL'] }],
    [{ message: { text: 'x' } }, { message: ['must be a text'] }],
    [{ message: 'x'.repeat(4_097) }, { message: ['is too long (4096 characters at the most)'] }],
    [{ audio_url: 'file:///etc/passwd' }, { audio_url: ['must be an http or https URL'] }],
    [
      { message: 'x', language: 'Khmer!', voice: '<b>', thanks_audio_url: 'javascript:alert(1)', prompt: 5 },
      {
        language: ['must be a language such as en-GB'],
        voice: ["must be the name of one of the provider's voices"],
        thanks_audio_url: ['must be an http or https URL'],
        prompt: ['must be a text'],
      },
    ],
  ])('is not started with %j', async (metadata, errors) => {
    const id = await flood(metadata, false);
    const { status, body } = await api.post(`/api/callouts/${id}/callout_events`, 'event=start');
    expect([status, body]).toEqual([422, { errors }]);
    expect((await api.get(`/api/callouts/${id}`)).body.status).toBe('initialized');
  });

  it('cannot lose its message while it runs, nor be resumed without one', async () => {
    const id = await flood();
    const emptied = await api.patch(`/api/callouts/${id}`, { metadata: {}, metadata_merge_mode: 'replace' });
    expect([emptied.status, emptied.body]).toEqual([422, { errors: { message: ["can't be blank"] } }]);
    await api.post(`/api/callouts/${id}/callout_events`, 'event=pause');
    expect((await api.patch(`/api/callouts/${id}`, { metadata: { message: '' } })).status).toBe(204);
    const { status, body } = await api.post(`/api/callouts/${id}/callout_events`, 'event=resume');
    expect([status, body]).toEqual([422, { errors: { message: ["can't be blank"] } }]);
  });

  it('calls nobody if it has nothing to say', async () => {
    const callout = await flood({}, false);
    const { id } = await participant(callout, { keys: [] });
    const { call } = await dialParticipation(api, id);
    expect(call).toMatchObject({ status: 'errored', remote_call_id: null });
    expect(call.remote_error_message).toBe(
      "The callout's metadata have no message and no audio_url: nobody was called.",
    );
  });
});

describe('a person who opted out', () => {
  it('is excluded from populations, which report how many were, unless the population includes them', async () => {
    const town = `town-${Date.now()}`;
    const [, , wished] = await api.createContacts(
      { msisdn: number(), metadata: { town } },
      { msisdn: number(), metadata: { town, do_not_call: null } },
      { msisdn: number(), metadata: { town, do_not_call: { at: 'x', callout_id: 1 } } },
      { msisdn: number(), metadata: { town, do_not_call: false } },
    );
    const callout = await api.createCallout();
    const contact_filter_params = { metadata: { town } };
    const population = await api.createPopulation(callout, { contact_filter_params });
    const preview = (id: number, query = '') => api.get(`/api/batch_operations/${id}/preview/contacts${query}`);
    const shown = await preview(population);
    expect([shown.headers.get('total'), shown.headers.get('left-out')]).toEqual(['3', '1']);
    expect((await preview(population, '?q[metadata][town]=x')).headers.get('left-out')).toBe('0');
    expect((await api.runBatchOperation(population)).progress).toEqual({ processed: 3, total: 3 });
    const all = await api.createPopulation(callout, { contact_filter_params, include_do_not_call: 'true' });
    const included = await preview(all);
    expect([included.body.map(({ id }: Body) => id), included.headers.get('left-out')]).toEqual([[wished], '0']);
    expect((await api.runBatchOperation(all)).progress).toEqual({ processed: 1, total: 1 });
    expect((await api.get('/api/contacts')).headers.get('left-out')).toBeNull();
  });

  it.each(['yess', ['true'], 2, {}])('is not included by an invalid parameter: %j', async (include_do_not_call) => {
    const callout = await api.createCallout();
    const type = 'BatchOperation::CalloutPopulation';
    const { status, body } = await api.post(`/api/callouts/${callout}/batch_operations`, {
      type,
      parameters: { include_do_not_call },
    });
    expect([status, body]).toEqual([422, { errors: { include_do_not_call: ['must be true or false'] } }]);
  });

  it('is called again after registering again', async () => {
    const msisdn = number();
    await callIn(api, msisdn, ['9']);
    expect((await contactOf(msisdn)).metadata.do_not_call).toBeTruthy();
    await callIn(api, msisdn, ['1', '4', '1']);
    expect((await contactOf(msisdn)).metadata).toMatchObject({ do_not_call: null, province: 'Pursat' });
  });
});

describe('a person who calls back', () => {
  beforeAll(() => deliver('in turn'));

  it('hears the message again while the callout runs, and can confirm it', async () => {
    const callout = await flood();
    const { id, msisdn } = await participant(callout, { ending: 'no-answer' });
    await dialParticipation(api, id, { from: '+855 10 999 999' });
    const { said } = await callIn(api, msisdn, ['1'], '+85510999999');
    expect(said[0]).toBe('The river is rising.');
    expect((await participation(id)).metadata).toEqual({ confirmed_at: isoTime });
    const [, call] = (await api.get(`/api/phone_calls?q[msisdn]=${encodeURIComponent(msisdn)}`)).body;
    expect(call).toMatchObject({
      callout_participation_id: null,
      remote_direction: 'inbound',
      call_flow_logic: 'CallFlowLogic::PlayMessage',
      metadata: { calling_back: { callout_id: callout, callout_participation_id: id } },
    });
  });

  it('hears it until a day after the callout was stopped, and then is asked to register', async () => {
    const callout = await flood();
    const { id, msisdn } = await participant(callout, { ending: 'busy' });
    await dialParticipation(api, id);
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=stop');
    expect((await callIn(api, msisdn, [])).said[0]).toBe('The river is rising.');
    const [{ stopped_at }] = await installation.query<Body>(`SELECT stopped_at FROM callouts WHERE id = ${callout}`);
    const yesterday = new Date(new Date(stopped_at).getTime() - 86_401_000).toISOString();
    await installation.query(`UPDATE callouts SET stopped_at = '${yesterday}' WHERE id = ${callout}`);
    expect((await callIn(api, msisdn, [])).said[0]).toMatch(/^Welcome/);
  });

  it('is asked to register if they call another number, or were not called', async () => {
    const callout = await flood();
    const { id, msisdn } = await participant(callout, { ending: 'busy' });
    const path = `/api/callout_participations/${id}/phone_calls`;
    await api.post(path, { remote_request_params: { from: '2442' } });
    expect((await callIn(api, msisdn, [])).said[0]).toMatch(/^Welcome/);
    const held = await api.post(path, { remote_request_params: { from: '2442' } });
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=pause');
    await api.post(`/api/phone_calls/${held.body.id}/phone_call_events`, 'event=queue');
    expect((await callIn(api, msisdn, [])).said[0]).toMatch(/^Welcome/);
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=resume');
    await dialParticipation(api, id);
    expect((await callIn(api, msisdn, [], '2443')).said[0]).toMatch(/^Welcome/);
    expect((await callIn(api, msisdn, [])).said[0]).toBe('The river is rising.');
  });

  it('is asked to register if the last call had a URL of its own, or its callout lost its message', async () => {
    const first = await flood();
    const { id, msisdn } = await participant(first, { ending: 'busy' });
    await dialParticipation(api, id);
    const [contact_id] = await api.listIds(`/api/contacts?q[msisdn]=${encodeURIComponent(msisdn)}`);
    const second = await flood({ message: 'The second callout.' });
    const { body: again } = await api.post(`/api/callouts/${second}/callout_participations`, { contact_id });
    await dialParticipation(api, again.id, { url: 'http://127.0.0.1:1/api/remote_phone_call_events' });
    expect((await callIn(api, msisdn, [])).said[0]).toMatch(/^Welcome/);
    await dialParticipation(api, again.id);
    expect((await callIn(api, msisdn, [])).said[0]).toBe('The second callout.');
    await api.post(`/api/callouts/${second}/callout_events`, 'event=pause');
    await api.patch(`/api/callouts/${second}`, { metadata: { message: null } });
    expect((await callIn(api, msisdn, [])).said[0]).toMatch(/^Welcome/);
  });

  it('opts out the contact with that number', async () => {
    const callout = await flood();
    const other = number();
    const [contact_id] = await api.createContacts({ msisdn: number() });
    await setPersonBehavior(api, other, { ending: 'busy' });
    const path = `/api/callouts/${callout}/callout_participations`;
    const { body } = await api.post(path, { contact_id, msisdn: other });
    await dialParticipation(api, body.id);
    await callIn(api, other, ['9']);
    expect((await contactOf(other)).metadata).toEqual({ do_not_call: { at: isoTime, callout_id: callout } });
  });

  it('hears the TwiML that was sent with the call', async () => {
    const { body } = await api.post('/api/callouts');
    const { id, msisdn } = await participant(body.id, { ending: 'busy' });
    await dialParticipation(api, id, { twiml: '<Response><Say>Go to the school.</Say></Response>' });
    expect((await callIn(api, msisdn, [])).said).toEqual(['Go to the school.']);
  });
});

describe('500 people who call in at the same time', () => {
  it('are all registered, each with their own answers', async () => {
    // Processes that share a SQLite file wait for each other's locks, so only PostgreSQL gets the crowd at several
    // processes.
    relay.forwardTo(way === 'cluster' ? programs.map(({ url }) => url) : [api.url], 'in turn');
    const provinces = ['Battambang', 'Kampong Thom', 'Phnom Penh', 'Pursat', 'Siem Reap'];
    const callers = Array.from({ length: 500 }, (_, n) => ({
      msisdn: number(),
      language: n % 2,
      province: Math.floor(n / 2) % 5,
    }));
    const talks = await Promise.all(
      callers.map(({ msisdn, language, province }) =>
        callIn(api, msisdn, [String(language + 1), String(province + 1), '1']),
      ),
    );
    expect(talks.flatMap(({ errors }) => errors)).toEqual([]);
    for (const { msisdn, language, province } of callers) {
      expect((await contactOf(msisdn)).metadata).toEqual({
        language: ['km', 'en'][language],
        province: provinces[province],
        registered_at: isoTime,
      });
    }
  });
});

describe('npm run demo', () => {
  it('registers people, warns those in danger, and accounts for each of them', async () => {
    const demo = join(import.meta.dirname, '../scripts/demo.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [demo, api.url, '25']);
    expect(stdout).toContain('registered [########################################] 25 of 25');
    expect(stdout).toMatch(/^done .* (\d+) of \1$/m);
    // The person who pressed 9 answered, and was called once.
    expect(stdout).toMatch(/^answered .* [1-9]\d* +\d+ +\d+ +[1-9]\d*$/m);
    expect(stdout).toMatch(/^in all +\d+ +\d+ +\d+ +\d+$/m);
    expect(stdout).toMatch(/leaves out the people who opted out: [1-9]\d* in this province\.$/m);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from './support/api.js';
import { Installation } from './support/installation.js';

let installation: Installation;
let api: Api;
let next = 0;

const contact = async () => (await api.createContacts({ msisdn: `+8551020${String(++next).padStart(4, '0')}` }))[0]!;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start()).api;
});
afterAll(() => installation.remove());

describe('a callout', () => {
  it('is created as initialized, with every key in the order of the contract', async () => {
    const { status, body, headers } = await api.post('/api/callouts', { metadata: { river: 'Sangkae' } });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/callouts/${body.id}`);
    expect(Object.keys(body)).toEqual([
      'id',
      'status',
      'call_flow_logic',
      'metadata',
      'created_at',
      'updated_at',
      'priority',
      'audience',
      'dial_plan',
      'starts_at',
      'expires_at',
      'held_because',
      'started_at',
      'stopped_at',
      'completed_at',
    ]);
    expect(body).toMatchObject({ status: 'initialized', metadata: { river: 'Sangkae' }, held_because: null });
  });

  it('changes its status by events, and rejects events that its status does not allow', async () => {
    const id = await api.createCallout();
    const refused = { event: ['is not included in the list'] };
    const path: [event: string | undefined, status: number, now: string][] = [
      ['resume', 422, 'initialized'],
      [undefined, 422, 'initialized'],
      ['explode', 422, 'initialized'],
      ['start', 201, 'running'],
      ['start', 422, 'running'],
      ['pause', 201, 'paused'],
      ['resume', 201, 'running'],
      ['stop', 201, 'stopped'],
      ['resume', 201, 'running'],
      ['pause', 201, 'paused'],
      ['stop', 201, 'stopped'],
      ['stop', 422, 'stopped'],
    ];
    for (const [event, status, now] of path) {
      const answer = await api.post(`/api/callouts/${id}/callout_events`, { event });
      expect([event, answer.status]).toEqual([event, status]);
      expect(answer.body).toMatchObject(status === 201 ? { id, status: now } : { errors: refused });
      if (status === 201) expect(answer.headers.get('location')).toBe(`/api/callouts/${id}`);
      expect((await api.get(`/api/callouts/${id}`)).body.status).toBe(now);
    }
  });

  it.each([
    ['pause', 'paused'],
    ['stop', 'stopped'],
  ])('can %s before it was started, and be resumed then', async (event, now) => {
    const id = await api.createCallout();
    const answer = await api.post(`/api/callouts/${id}/callout_events`, { event });
    expect([answer.status, answer.body.status]).toEqual([201, now]);
    expect((await api.post(`/api/callouts/${id}/callout_events`, 'event=start')).status).toBe(422);
    expect((await api.post(`/api/callouts/${id}/callout_events`, 'event=resume')).body.status).toBe('running');
  });

  it('starts once if twenty concurrent requests start it', async () => {
    const id = await api.createCallout();
    const starts = Array.from({ length: 20 }, () => api.post(`/api/callouts/${id}/callout_events`, 'event=start'));
    expect((await Promise.all(starts)).map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(422)]);
  });

  it('has a known call flow, or none', async () => {
    const id = await api.createCallout();
    const refused = await api.patch(`/api/callouts/${id}`, 'call_flow_logic=CallFlowLogic::Applcation');
    expect([refused.status, refused.body]).toEqual([
      422,
      { errors: { call_flow_logic: ['is not included in the list'] } },
    ]);
    await api.patch(`/api/callouts/${id}`, 'call_flow_logic=CallFlowLogic::Application');
    expect((await api.get(`/api/callouts/${id}`)).body.call_flow_logic).toBe('CallFlowLogic::Application');
    await api.put(`/api/callouts/${id}`, 'call_flow_logic=');
    expect((await api.get(`/api/callouts/${id}`)).body.call_flow_logic).toBeNull();
  });

  it('does not take its status from a body', async () => {
    const id = await api.createCallout();
    const { status, body } = await api.patch(`/api/callouts/${id}`, 'status=running');
    expect([status, body]).toEqual([422, { errors: { status: ['is not a permitted parameter'] } }]);
  });

  it('cannot be deleted while other records refer to it, and the error names them', async () => {
    const id = await api.createCallout();
    await api.createPopulation(id);
    await api.post(`/api/callouts/${id}/callout_participations`, { contact_id: await contact() });
    const { status, body } = await api.delete(`/api/callouts/${id}`);
    expect([status, body]).toEqual([
      422,
      {
        errors: {
          base: [
            'Cannot delete record because dependent callout participations exist',
            'Cannot delete record because dependent batch operations exist',
          ],
        },
      },
    ]);
    expect((await api.delete(`/api/callouts/${await api.createCallout()}`)).status).toBe(204);
  });
});

describe('a callout participation', () => {
  it('takes its number from the contact, and its call flow from the callout, unless it has its own', async () => {
    const { body: callout } = await api.post('/api/callouts', 'call_flow_logic=CallFlowLogic::Application');
    const contactId = await contact();
    const path = `/api/callouts/${callout.id}/callout_participations`;
    const { status, body, headers } = await api.post(path, `contact_id=${contactId}&metadata[a]=1`);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/callout_participations/${body.id}`);
    expect(body).toEqual({
      id: body.id,
      callout_id: callout.id,
      contact_id: contactId,
      callout_population_id: null,
      msisdn: (await api.get(`/api/contacts/${contactId}`)).body.msisdn,
      call_flow_logic: 'CallFlowLogic::Application',
      metadata: { a: '1' },
      created_at: expect.any(String),
      updated_at: expect.any(String),
      outcome: 'waiting',
      attempts: 0,
      waiting_for: null,
      next_call_at: null,
      last_call_at: null,
    });
    expect(Object.keys(body).slice(4, 6)).toEqual(['msisdn', 'call_flow_logic']);
    const own = await api.post(path, { contact_id: await contact(), msisdn: '855 10 999 001' });
    expect(own.body.msisdn).toBe('+85510999001');
  });

  it('is rejected with an error for every invalid field', async () => {
    const path = `/api/callouts/${await api.createCallout()}/callout_participations`;
    for (const [given, errors] of [
      [{}, { contact: ['must exist'] }],
      [{ contact_id: 999_999 }, { contact: ['must exist'] }],
      [{ contact_id: '1; DROP' }, { contact: ['must exist'] }],
      [{ contact_id: '99999999999999999999' }, { contact: ['must exist'] }],
      [{ contact_id: { a: 1 } }, { contact: ['must exist'] }],
      [
        { msisdn: 'x', metadata: 'y', call_flow_logic: 'z', status: 1 },
        {
          contact: ['must exist'],
          msisdn: ['is an invalid number'],
          metadata: ['must be an object'],
          call_flow_logic: ['is not included in the list'],
          status: ['is not a permitted parameter'],
        },
      ],
    ]) {
      const answer = await api.post(path, given);
      expect([answer.status, answer.body]).toEqual([422, { errors }]);
    }
  });

  it.each(['', ' ', null])('has the number of its contact when its own is %j', async (msisdn) => {
    const contactId = await contact();
    const path = `/api/callouts/${await api.createCallout()}/callout_participations`;
    const { status, body } = await api.post(path, { contact_id: contactId, msisdn });
    expect([status, body.msisdn]).toEqual([201, (await api.get(`/api/contacts/${contactId}`)).body.msisdn]);
    expect((await api.patch(`/api/callout_participations/${body.id}`, { msisdn })).status).toBe(204);
    expect((await api.get(`/api/callout_participations/${body.id}`)).body).toEqual(body);
  });

  it('is the only one of its contact and of its number in a callout', async () => {
    const path = `/api/callouts/${await api.createCallout()}/callout_participations`;
    const [one, two] = [await contact(), await contact()];
    const { body: first } = await api.post(path, { contact_id: one });
    const taken = ['has already been taken'];
    expect((await api.post(path, { contact_id: one })).body).toEqual({ errors: { contact_id: taken, msisdn: taken } });
    const other = { contact_id: one, msisdn: '+85510999002' };
    expect((await api.post(path, other)).body).toEqual({ errors: { contact_id: taken } });
    const same = { contact_id: two, msisdn: first.msisdn };
    expect((await api.post(path, same)).body).toEqual({ errors: { msisdn: taken } });
    const { body: second } = await api.post(path, { contact_id: two });
    const moved = await api.patch(`/api/callout_participations/${second.id}`, { msisdn: first.msisdn });
    expect([moved.status, moved.body]).toEqual([422, { errors: { msisdn: taken } }]);
  });

  it('is created once by twenty concurrent requests', async () => {
    const path = `/api/callouts/${await api.createCallout()}/callout_participations`;
    const contact_id = await contact();
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.post(path, { contact_id })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(422)]);
  });

  it('cannot change its contact', async () => {
    const path = `/api/callouts/${await api.createCallout()}/callout_participations`;
    const { body } = await api.post(path, { contact_id: await contact() });
    const answer = await api.patch(`/api/callout_participations/${body.id}`, { contact_id: await contact() });
    expect([answer.status, answer.body]).toEqual([422, { errors: { contact_id: ['is not a permitted parameter'] } }]);
    expect((await api.patch(`/api/callout_participations/${body.id}`, { metadata: { a: 1 } })).status).toBe(204);
    expect((await api.get(`/api/callout_participations/${body.id}`)).body.metadata).toEqual({ a: 1 });
  });

  it('is in the lists of its callout and its contact, and in no others', async () => {
    const [callout, other] = [await api.createCallout(), await api.createCallout()];
    const contactId = await contact();
    const { body } = await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id: contactId });
    expect(await api.listIds(`/api/callouts/${callout}/callout_participations`)).toEqual([body.id]);
    expect(await api.listIds(`/api/callouts/${other}/callout_participations`)).toEqual([]);
    expect(await api.listIds(`/api/contacts/${contactId}/callout_participations`)).toEqual([body.id]);
    expect(await api.listIds(`/api/contacts/${contactId}/callouts`)).toEqual([callout]);
    expect(await api.listIds(`/api/callouts/${callout}/contacts`)).toEqual([contactId]);
    for (const list of ['contacts', 'callout_participations', 'batch_operations']) {
      expect((await api.get(`/api/callouts/99999999/${list}`)).status).toBe(404);
    }
    expect((await api.post('/api/callouts/99999999/callout_participations', { contact_id: contactId })).status).toBe(
      404,
    );
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from './support/api.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import type { Program } from './support/program.js';

const type = 'BatchOperation::CalloutPopulation';

let installation: Installation;
let api: Api;
let program: Program;

beforeAll(async () => {
  installation = await Installation.create();
  program = await installation.start();
  api = program.api;
  await api.createContacts(
    ...Array.from({ length: 10 }, (_, n) => ({
      msisdn: `+8551020210${n}`,
      metadata: { gender: n % 2 ? 'm' : 'f', n },
    })),
  );
});
afterAll(() => installation.remove());

describe('a batch operation', () => {
  it('is created as a preview, on either route', async () => {
    const callout = await api.createCallout();
    const nested = await api.post(`/api/callouts/${callout}/batch_operations`, `type=${type}`);
    const flat = await api.post('/api/batch_operations', { type, callout_id: callout });
    for (const { status, body, headers } of [nested, flat]) {
      expect(status).toBe(201);
      expect(headers.get('location')).toBe(`/api/batch_operations/${body.id}`);
      expect(Object.entries(body)).toEqual([
        ['id', body.id],
        ['callout_id', callout],
        ['parameters', {}],
        ['metadata', {}],
        ['status', 'preview'],
        ['created_at', expect.any(String)],
        ['updated_at', expect.any(String)],
        ['type', type],
        ['progress', null],
        ['error', null],
      ]);
    }
    expect(await api.listIds(`/api/callouts/${callout}/batch_operations`)).toEqual([nested.body.id, flat.body.id]);
  });

  it('is rejected with all its errors', async () => {
    const callout_id = await api.createCallout();
    for (const [given, errors] of [
      [{}, { type: ["can't be blank"] }],
      [{ type: 'BatchOperation::Nothing', callout_id }, { type: ["can't be blank"] }],
      [{ type }, { callout: ['must exist'] }],
      [{ type, callout_id: 99_999_999 }, { callout: ['must exist'] }],
      [{ type, callout_id, parameters: [1] }, { parameters: ['must be an object'] }],
      [
        { type, metadata: 1, extra: 2, parameters: { contact_filter_parms: {} } },
        {
          callout: ['must exist'],
          metadata: ['must be an object'],
          extra: ['is not a permitted parameter'],
          contact_filter_parms: ['is not a permitted parameter'],
        },
      ],
      ...[
        ['f', 'must be an object'],
        [{ metdata: { gender: 'f' } }, 'metdata is not a filter of this list'],
        [{ metadata: 'f' }, 'metadata must be an object'],
        [{ metadata: {} }, 'metadata must name a key'],
        [{ metadata: { a: [] } }, 'metadata[a] must name a key'],
        [{ msisdn: 'x' }, 'msisdn must be a phone number with its country code'],
        [{ created_at_before: 'x' }, 'created_at_before must be an ISO 8601 date or timestamp'],
      ].map(([filter, message]) => [
        { type, callout_id, parameters: { contact_filter_params: filter } },
        { contact_filter_params: [message] },
      ]),
    ]) {
      const answer = await api.post('/api/batch_operations', given as object);
      expect([answer.status, answer.body]).toEqual([422, { errors }]);
    }
    expect((await api.post('/api/callouts/99999999/batch_operations', { type })).status).toBe(404);
    const moved = await api.post(`/api/callouts/${callout_id}/batch_operations`, { type, callout_id });
    expect(moved.body).toEqual({ errors: { callout_id: ['is not a permitted parameter'] } });
  });

  it('on a callout that is deleted at the same time is created before that, or rejected', async () => {
    const type = 'BatchOperation::CalloutPopulation';
    for (let round = 0; round < 10; round++) {
      const callout_id = await api.createCallout();
      const [made, madeUnder, deleted] = await Promise.all([
        api.post('/api/batch_operations', { type, callout_id }),
        api.post(`/api/callouts/${callout_id}/batch_operations`, { type }),
        api.delete(`/api/callouts/${callout_id}`),
      ]);
      expect(made.status).toBeOneOf([201, 422]);
      expect(madeUnder.status).toBeOneOf([201, 404, 422]);
      expect(deleted.status).toBe([made, madeUnder].some(({ status }) => status === 201) ? 422 : 204);
      if (made.status === 422) expect(made.body).toEqual({ errors: { callout: ['must exist'] } });
    }
  });

  it('adds exactly the contacts that its preview lists', async () => {
    const callout = await api.createCallout();
    const [, , third] = await api.listIds('/api/contacts');
    // Two take part already: one by contact, with another number, and the contact who has that number.
    await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id: third, msisdn: '+85510202104' });
    const id = await api.createPopulation(callout, { contact_filter_params: { metadata: { gender: 'f' } } });
    const preview = await api.listIds(`/api/batch_operations/${id}/preview/contacts`);
    expect(preview).toHaveLength(3);
    const finished = await api.runBatchOperation(id);
    expect(finished).toMatchObject({ status: 'finished', progress: { processed: 3, total: 3 }, error: null });
    expect(await api.listIds(`/api/batch_operations/${id}/contacts`)).toEqual(preview);
    expect(await api.listIds(`/api/batch_operations/${id}/preview/contacts`)).toEqual([]);
    const { body } = await api.get(`/api/batch_operations/${id}/callout_participations`);
    expect(body.map((made: { contact_id: number }) => made.contact_id)).toEqual(preview);
    expect(body.every((made: { callout_population_id: number }) => made.callout_population_id === id)).toBe(true);
    expect(await api.listIds(`/api/callouts/${callout}/contacts`)).toEqual([...preview, third!].sort((a, b) => a - b));
  });

  it('adds only new contacts when it is queued again', async () => {
    const callout = await api.createCallout();
    const id = await api.createPopulation(callout, { contact_filter_params: { metadata: { late: 'yes' } } });
    expect((await api.runBatchOperation(id)).progress).toEqual({ processed: 0, total: 0 });
    const [late] = await api.createContacts({ msisdn: '+85510777001', metadata: { late: 'yes' } });
    expect((await api.runBatchOperation(id, 'requeue')).progress).toEqual({ processed: 1, total: 1 });
    const [participation] = await api.listIds(`/api/callouts/${callout}/callout_participations`);
    await api.runBatchOperation(
      await api.createPopulation(callout, { contact_filter_params: { metadata: { late: 'yes' } } }),
    );
    expect((await api.get(`/api/callout_participations/${participation}`)).body).toMatchObject({
      contact_id: late,
      callout_population_id: id,
    });
  });

  it('rejects events that its status does not allow', async () => {
    const id = await api.createPopulation(await api.createCallout());
    const send = (event: unknown) => api.post(`/api/batch_operations/${id}/batch_operation_events`, { event });
    const errors = { event: ['is not included in the list'] };
    for (const event of ['requeue', 'start', 'finish', 'fail', 'x', null, 5, ['queue']]) {
      const answer = await send(event);
      expect([answer.status, answer.body]).toEqual([422, { errors }]);
    }
    const { status, body, headers } = await send('queue');
    expect([status, body.status, headers.get('location')]).toEqual([201, 'queued', `/api/batch_operations/${id}`]);
    expect((await send('queue')).status).toBe(422);
    await api.waitForBatchOperation(id);
    expect((await send('queue')).status).toBe(422);
  });

  it('is queued once by twenty concurrent requests', async () => {
    const id = await api.createPopulation(await api.createCallout());
    const path = `/api/batch_operations/${id}/batch_operation_events`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.post(path, 'event=queue')));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(422)]);
  });

  it('cannot change its type and callout, and replaces its parameters as a whole', async () => {
    const id = await api.createPopulation(await api.createCallout(), {
      contact_filter_params: { metadata: { a: '1' } },
    });
    const path = `/api/batch_operations/${id}`;
    expect((await api.patch(path, { type: 'BatchOperation::PhoneCallQueue', callout_id: 1 })).body).toEqual({
      errors: { type: ['is not a permitted parameter'], callout_id: ['is not a permitted parameter'] },
    });
    expect((await api.patch(path, { parameters: { limit: 5 }, metadata: 'x' })).body).toEqual({
      errors: { limit: ['is not a permitted parameter'], metadata: ['must be an object'] },
    });
    expect((await api.patch(path, 'parameters[contact_filter_params][metadata][b]=2&metadata[c]=3')).status).toBe(204);
    expect((await api.get(path)).body).toMatchObject({
      parameters: { contact_filter_params: { metadata: { b: '2' } } },
      metadata: { c: '3' },
    });
  });

  it('has only the lists of its type', async () => {
    const id = await api.createPopulation(await api.createCallout());
    for (const list of ['preview/callout_participations', 'preview/phone_calls', 'phone_calls', 'callouts']) {
      expect((await api.get(`/api/batch_operations/${id}/${list}`)).status).toBe(404);
    }
    expect((await api.get('/api/batch_operations/99999999/preview/contacts')).status).toBe(404);
  });

  it('filters and pages its preview like any list', async () => {
    const id = await api.createPopulation(await api.createCallout(), {
      contact_filter_params: { metadata: { gender: 'f' } },
    });
    expect(await api.listIds(`/api/batch_operations/${id}/preview/contacts?q[metadata][n]=4`)).toHaveLength(1);
    const { headers, body } = await api.get(`/api/batch_operations/${id}/preview/contacts?per_page=2`);
    expect([headers.get('total'), body.length]).toEqual(['5', 2]);
  });

  it('cannot be deleted while its participations exist', async () => {
    const id = await api.createPopulation(await api.createCallout(), {
      contact_filter_params: { msisdn: '+85510202100' },
    });
    await api.runBatchOperation(id);
    const { status, body } = await api.delete(`/api/batch_operations/${id}`);
    const base = ['Cannot delete record because dependent callout participations exist'];
    expect([status, body]).toEqual([422, { errors: { base } }]);
    const [made] = await api.listIds(`/api/batch_operations/${id}/callout_participations`);
    await api.delete(`/api/callout_participations/${made}`);
    expect((await api.delete(`/api/batch_operations/${id}`)).status).toBe(204);
  });
});

describe('a batch operation that no worker has taken yet', () => {
  it('cannot be deleted or changed, except its metadata', async () => {
    const apart = await Installation.create();
    try {
      // Without a worker it stays queued.
      const web = await apart.start({ SCFM_ROLE: 'web' });
      const id = await web.api.createPopulation(await web.api.createCallout());
      await web.api.post(`/api/batch_operations/${id}/batch_operation_events`, 'event=queue');
      const path = `/api/batch_operations/${id}`;
      expect((await web.api.patch(path, { parameters: { contact_filter_params: {} } })).body).toEqual({
        errors: { parameters: ['cannot change because status is queued'] },
      });
      expect((await web.api.delete(path)).body).toEqual({
        errors: { base: ['Cannot delete record because status is queued'] },
      });
      expect((await web.api.patch(path, { metadata: { a: 1 } })).status).toBe(204);
      expect((await web.api.get(path)).body).toMatchObject({ status: 'queued', progress: null });
    } finally {
      await apart.remove();
    }
  });
});

describe('a batch operation whose chunk fails', () => {
  it('fails with a message after several attempts, and can be queued again', async () => {
    const callout = await api.createCallout();
    const id = await api.createPopulation(callout, { contact_filter_params: { msisdn: '+85510202100' } });
    await forbidParticipations(`NEW.callout_id = ${callout}`);
    const failed = await api.runBatchOperation(id);
    expect(failed).toMatchObject({
      status: 'failed',
      error: "It failed 5 times in a row at the same place. The program's log says why. Send requeue to begin again.",
    });
    expect(program.output).toContain('no more of them');
    await allowParticipations();
    expect(await api.runBatchOperation(id, 'requeue')).toMatchObject({
      status: 'finished',
      error: null,
      progress: { processed: 1, total: 1 },
    });
  });
});

/** Makes the database reject new participations that match a condition. */
async function forbidParticipations(condition: string): Promise<void> {
  const statements = {
    cluster: [
      `CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no more of them'; END $$`,
      `CREATE TRIGGER refuse BEFORE INSERT ON callout_participations FOR EACH ROW WHEN (${condition})
        EXECUTE FUNCTION refuse()`,
    ],
    embedded: [
      `CREATE TRIGGER refuse BEFORE INSERT ON callout_participations WHEN ${condition}
        BEGIN SELECT RAISE(ABORT, 'no more of them'); END`,
    ],
  };
  for (const statement of statements[way]) await installation.query(statement);
}

async function allowParticipations(): Promise<void> {
  await installation.query(`DROP TRIGGER refuse${way === 'cluster' ? ' ON callout_participations' : ''}`);
}

it('shows its progress while it runs, and the API still responds', async () => {
  await installation.insertContacts(50_000);
  const callout = await api.createCallout();
  const id = await api.createPopulation(callout, { contact_filter_params: { metadata: { many: 'yes' } } });
  // The run fails half way until the database allows the rest.
  const [{ id: half }] = (await installation.query<{ id: number }>(
    'SELECT id FROM contacts ORDER BY id LIMIT 1 OFFSET 25000',
  )) as [{ id: number }];
  await forbidParticipations(`NEW.callout_id = ${callout} AND NEW.contact_id > ${half}`);
  await api.post(`/api/batch_operations/${id}/batch_operation_events`, 'event=queue');
  const { processed } = await eventually(async () => {
    const { status, body } = await api.get(`/api/batch_operations/${id}`);
    expect([status, body.status]).toEqual([200, expect.stringMatching(/^(queued|running)$/)]);
    const [run] = await installation.query<{ attempts: number }>(
      `SELECT attempts FROM batch_operations WHERE id = ${id}`,
    );
    if (Number(run!.attempts) === 0 || body.progress?.total !== 50_000) return false;
    // A chunk may end between the two responses.
    const { headers } = await api.get(`/api/callouts/${callout}/callout_participations?per_page=1`);
    return headers.get('total') === String(body.progress.processed) && body.progress;
  });
  expect(processed).toBeGreaterThan(0);
  expect(processed).toBeLessThan(50_000);
  await allowParticipations();
  expect(await api.waitForBatchOperation(id)).toMatchObject({
    status: 'finished',
    progress: { processed: 50_000, total: 50_000 },
  });
  expect((await api.get(`/api/callouts/${callout}/callout_participations`)).headers.get('total')).toBe('50000');
});

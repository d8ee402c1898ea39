import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { createPausedCallout, runBatchOperation, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';

/** Settings of a simulator in which everyone answers. */
const EVERYONE_ANSWERS = {
  SIMULATOR_SPEED: '300',
  SIMULATOR_BUSY: '0',
  SIMULATOR_NO_ANSWER: '0',
  SIMULATOR_FAILED: '0',
};

let installation: Installation;
let api: Api;
let numbers = 0;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start(EVERYONE_ANSWERS)).api;
});
afterAll(() => installation.remove());

const number = () => `+85571${String(1_000_000 + ++numbers * 100)}`;

/** @returns the events of a record, oldest first */
async function eventsOf(type: string, id: number): Promise<Body[]> {
  const { body } = await api.get(`/api/events?q[resource_type]=${type}&q[resource_id]=${id}`);
  return body;
}

/** @returns the types and changes of a record's events */
const changesOf = async (type: string, id: number): Promise<[string, Body][]> =>
  (await eventsOf(type, id)).map((event) => [event.type, event.changes]);

/** @returns the id of the newest event; 0 without events */
async function lastId(): Promise<number> {
  const [row] = await installation.query<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM events');
  return Number(row!.id);
}

/** Reads all events after an id, page by page. */
async function eventsAfter(id: number): Promise<Body[]> {
  const events: Body[] = [];
  for (let page: Body[] = [{ id }]; page.length > 0; events.push(...page)) {
    const { body } = await api.get(`/api/events?per_page=1000&after_id=${(events.at(-1) ?? { id }).id}`);
    page = body;
  }
  return events;
}

describe('events', () => {
  it('show the transitions of a callout', async () => {
    const before = await lastId();
    const id = await api.createCallout();
    for (const event of ['start', 'pause', 'resume', 'stop']) await sendCalloutEvent(api, id, event);
    const events = await eventsAfter(before);
    expect(
      events.map(({ type, resource_type, resource_id, changes }) => [type, resource_type, resource_id, changes]),
    ).toEqual([
      ['callout.running', 'callout', id, { status: ['initialized', 'running'] }],
      ['callout.paused', 'callout', id, { status: ['running', 'paused'] }],
      ['callout.running', 'callout', id, { status: ['paused', 'running'] }],
      ['callout.stopped', 'callout', id, { status: ['running', 'stopped'] }],
    ]);
    expect(Object.keys(events[0])).toEqual(['id', 'type', 'resource_type', 'resource_id', 'changes', 'created_at']);
    expect(events[0].created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('show the transitions of a batch operation', async () => {
    const callout_id = await api.createCallout();
    const { id } = await runBatchOperation(api, callout_id, 'CalloutPopulation');
    expect(await changesOf('batch_operation', id)).toEqual([
      ['batch_operation.queued', { status: ['preview', 'queued'], callout_id }],
      ['batch_operation.running', { status: ['queued', 'running'], callout_id }],
      ['batch_operation.finished', { status: ['running', 'finished'], callout_id }],
    ]);
  });

  it('show the transitions of a phone call, from the queue to its end', async () => {
    const group = `g${++numbers}`;
    const [contact_id] = await api.createContacts({ msisdn: number(), metadata: { group } });
    const callout_id = await createPausedCallout(api, { metadata: { group } });
    const { body: calls } = await api.get(`/api/callouts/${callout_id}/phone_calls`);
    const [{ id, callout_participation_id }] = calls;
    const ids = { callout_id, contact_id, callout_participation_id };
    expect(await changesOf('phone_call', id)).toEqual([
      ['phone_call.queued', { status: ['created', 'queued'], ...ids }],
    ]);
    await sendCalloutEvent(api, callout_id, 'resume');
    await eventually(async () => (await api.get(`/api/phone_calls/${id}`)).body.status === 'completed');
    const events = await changesOf('phone_call', id);
    expect(events.at(-1)![0]).toBe('phone_call.completed');
    // A webhook may arrive before the response to the request, so that a status is skipped. Each event begins with the
    // status in which the last one ended.
    let status = 'created';
    for (const [type, changes] of events) {
      expect(changes).toEqual({ status: [status, type.split('.')[1]], ...ids });
      status = changes.status[1];
    }
  });

  it('show that an inbound call arrived', async () => {
    const [contactId] = await api.createContacts({ msisdn: number() });
    await installation.query(
      `INSERT INTO phone_calls (contact_id, msisdn, status) VALUES (${contactId}, 'x', 'in_progress')`,
    );
    const [{ id }] = (await installation.query<Body>('SELECT max(id) AS id FROM phone_calls')) as [Body];
    expect(await changesOf('phone_call', Number(id))).toEqual([
      [
        'phone_call.in_progress',
        { status: [null, 'in_progress'], callout_id: null, callout_participation_id: null, contact_id: contactId },
      ],
    ]);
  });

  it('show that a contact opted out, and in again', async () => {
    const [id] = (await api.createContacts({ msisdn: number(), metadata: { town: 'x' } })) as [number];
    const changes: object[] = [
      { do_not_call: { at: 'now' } },
      { town: 'y' },
      { do_not_call: 'yes' },
      { do_not_call: 'No\t' },
      { do_not_call: true },
      { do_not_call: null },
      { do_not_call: false },
    ];
    for (const metadata of changes) expect((await api.patch(`/api/contacts/${id}`, { metadata })).status).toBe(204);
    expect(await changesOf('contact', id)).toEqual([
      ['contact.opted_out', { do_not_call: [null, { at: 'now' }] }],
      ['contact.opted_in', { do_not_call: ['yes', 'No\t'] }],
      ['contact.opted_out', { do_not_call: ['No\t', true] }],
      ['contact.opted_in', { do_not_call: [true, null] }],
    ]);
  });

  it.each([
    [{ do_not_call: 'yes' }, true],
    [{ do_not_call: { at: 'x' } }, true],
    [{ do_not_call: [] }, true],
    [{ do_not_call: 1 }, true],
    [{ do_not_call: '\u00a0OFF ' }, false],
    [{ do_not_call: 0 }, false],
    [{ do_not_call: 'f' }, false],
    [{ do_not_call: ' ' }, false],
    [{ do_not_call: null }, false],
    [{}, false],
  ])('show whether a new contact with %j opted out: %s', async (metadata, isOptedOut) => {
    const { body } = await api.post('/api/contacts', { msisdn: number(), metadata });
    expect(await changesOf('contact', body.id)).toEqual(
      isOptedOut ? [['contact.opted_out', { do_not_call: [null, body.metadata.do_not_call] }]] : [],
    );
  });

  it('are not written by a transition that is rolled back, or that changes nothing', async () => {
    const id = await api.createCallout();
    const database = await installation.connect();
    await database.query('BEGIN');
    await database.query(`UPDATE callouts SET status = 'running' WHERE id = ${id}`);
    await database.query('ROLLBACK');
    await database.query(`UPDATE callouts SET status = 'initialized' WHERE id = ${id}`);
    await database.close();
    expect((await api.post(`/api/callouts/${id}/callout_events`, { event: 'resume' })).status).toBe(422);
    expect(await eventsOf('callout', id)).toEqual([]);
  });
});

describe('the list of events', () => {
  it('continues after an id, page by page', async () => {
    const before = await lastId();
    const id = await api.createCallout();
    for (const event of ['start', 'pause', 'resume', 'pause', 'resume']) await sendCalloutEvent(api, id, event);
    const pages: number[] = [];
    const types: string[] = [];
    for (let path: string | undefined = `/api/events?after_id=${before}&per_page=2`; path;) {
      const { status, body, headers } = await api.get(path);
      expect(status).toBe(200);
      expect(headers.get('total')).toBeNull();
      pages.push(body.length);
      types.push(...body.map(({ type }: Body) => type));
      const link: string | null = headers.get('link');
      path = link === null ? undefined : /^<([^>]+)>; rel="next"$/.exec(link)![1]!.slice(api.url.length);
    }
    expect(pages).toEqual([2, 2, 1]);
    expect(types).toEqual(['running', 'paused', 'running', 'paused', 'running'].map((status) => `callout.${status}`));
  });

  it('begins with the oldest, and has filters', async () => {
    const all = await eventsAfter(0);
    const { body } = await api.get('/api/events?per_page=5');
    expect(body).toEqual(all.slice(0, 5));
    const filtered = await api.get('/api/events?per_page=1000&q[type]=callout.stopped,contact.opted_in');
    expect(filtered.body).toEqual(all.filter(({ type }) => ['callout.stopped', 'contact.opted_in'].includes(type)));
    expect(filtered.body.length).toBeGreaterThan(1);
  });

  it.each([
    ['page=1', 422],
    ['after_id=x', 400],
    ['q[type]=callout.exploded', 400],
    ['q[resource_type]=person', 400],
    ['q[metadata][a]=b', 400],
  ])('rejects %s', async (query, status) => {
    expect((await api.get(`/api/events?${query}`)).status).toBe(status);
  });
});

describe('events that are older than EVENTS_KEPT_DAYS', () => {
  it('are deleted, and their ids are not used again', async () => {
    const id = await api.createCallout();
    for (const event of ['start', 'pause', 'resume']) await sendCalloutEvent(api, id, event);
    const last = await lastId();
    const age = (days: number) =>
      way === 'cluster'
        ? `created_at - interval '${days} days'`
        : `strftime('%Y-%m-%dT%H:%M:%fZ', created_at, '-${days} days')`;
    await installation.query(`UPDATE events SET created_at = ${age(31)} WHERE id < ${last}`);
    await installation.query(`UPDATE events SET created_at = ${age(29)} WHERE id = ${last}`);
    await eventually(async () => (await eventsAfter(0)).length === 1);
    expect((await eventsAfter(0))[0].id).toBe(last);
    await installation.query(`UPDATE events SET created_at = ${age(2)}`);
    await eventually(async () => (await eventsAfter(0)).length === 0);
    await sendCalloutEvent(api, id, 'pause');
    const events = await eventsAfter(0);
    expect(events).toHaveLength(1);
    expect(events[0].id).toBeGreaterThan(last);
  });
});

describe.runIf(way === 'cluster')('events of transactions at the same time', () => {
  const open = async () => {
    const database = await installation.connect();
    await database.query('SET idle_in_transaction_session_timeout = 0');
    return database;
  };
  const move = (id: number, status: string) => `UPDATE callouts SET status = '${status}' WHERE id = ${id}`;
  const resourceIds = (events: Body[]): number[] => events.map(({ resource_id }) => resource_id);

  it('are not listed before those with smaller ids, however the transactions end', async () => {
    const callouts = [
      await api.createCallout(),
      await api.createCallout(),
      await api.createCallout(),
      await api.createCallout(),
    ] as const;
    const before = await lastId();
    const [first, second] = [await open(), await open()];
    await first.query('BEGIN');
    await first.query(move(callouts[0], 'running'));
    await second.query('BEGIN');
    await second.query(move(callouts[1], 'running'));
    await second.query('COMMIT');
    expect(await installation.query(`SELECT id FROM events WHERE id > ${before}`)).toHaveLength(1);
    expect(await eventsAfter(before)).toEqual([]);
    await first.query('COMMIT');
    expect(resourceIds(await eventsAfter(before))).toEqual([callouts[0], callouts[1]]);

    await first.query('BEGIN');
    await first.query(move(callouts[2], 'running'));
    await second.query(move(callouts[3], 'running'));
    expect(resourceIds(await eventsAfter(before))).toEqual([callouts[0], callouts[1]]);
    await first.query('ROLLBACK');
    expect(resourceIds(await eventsAfter(before))).toEqual([callouts[0], callouts[1], callouts[3]]);
    await first.close();
    await second.close();
  });

  it('take one lock per transaction, even after a rollback to a savepoint', async () => {
    const id = await api.createCallout();
    const database = await open();
    const locks = async () => {
      const [row] = (await database.query(
        `SELECT count(*) AS count FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`,
      )) as [{ count: number }];
      return Number(row.count);
    };
    await database.query('BEGIN');
    await database.query('SAVEPOINT here');
    await database.query(move(id, 'running'));
    expect(await locks()).toBe(1);
    await database.query('ROLLBACK TO SAVEPOINT here');
    expect(await locks()).toBe(0);
    for (const status of ['running', 'paused', 'running']) await database.query(move(id, status));
    // The function of this trigger has a setting of its own.
    await database.query(`INSERT INTO phone_calls (msisdn, status) VALUES ('x', 'created')`);
    await database.query(`UPDATE phone_calls SET status = 'queued' WHERE msisdn = 'x' AND status = 'created'`);
    expect(await locks()).toBe(1);
    await database.query('ROLLBACK');
    await database.close();
  });

  it('reach a reader once and in order, while many transactions write', async () => {
    const WRITERS = 8;
    const ROUNDS = 25;
    const callouts: number[] = [];
    for (let count = 0; count < WRITERS; count++) callouts.push(await api.createCallout());
    const before = await lastId();
    let isOver = false;
    const writers = Promise.all(
      callouts.map(async (id, writer) => {
        const database = await open();
        for (let round = 0; round < ROUNDS; round++) {
          await database.query('BEGIN');
          await pause(Math.random() * 10);
          await database.query(move(id, round % 2 === 0 ? 'running' : 'paused'));
          await pause(Math.random() * 20);
          await database.query((round + writer) % 7 === 0 ? 'ROLLBACK' : 'COMMIT');
        }
        await database.close();
      }),
    ).finally(() => (isOver = true));
    const read: Body[] = [];
    for (let wasOver = false; !wasOver;) {
      wasOver = isOver;
      read.push(...(await eventsAfter(read.at(-1)?.id ?? before)));
    }
    await writers;
    const written = await installation.query<Body>(`SELECT id FROM events WHERE id > ${before} ORDER BY id`);
    expect(read.map(({ id }) => id)).toEqual(written.map(({ id }) => Number(id)));
    expect(read.length).toBeGreaterThan((WRITERS * ROUNDS) / 2);
  });

  it('are written by one statement for many calls, although the first statement of the connection moved one call', async () => {
    const database = await open();
    await database.query(
      `INSERT INTO phone_calls (msisdn, status) SELECT 'many', 'created' FROM generate_series(1, 20000)`,
    );
    const calls = (condition: string) =>
      `UPDATE phone_calls SET status = 'busy' WHERE msisdn = 'many' AND ${condition}`;
    await database.query(calls(`id = (SELECT min(id) FROM phone_calls WHERE msisdn = 'many')`));
    // A nested loop over 20,000 calls would take minutes.
    await database.query('SET statement_timeout = 30000');
    await database.query(calls(`status = 'created'`));
    const [{ count }] = (await database.query(
      `SELECT count(*) AS count FROM events WHERE type = 'phone_call.busy'`,
    )) as [Body];
    expect(Number(count)).toBe(20_000);
    await database.close();
  });
});

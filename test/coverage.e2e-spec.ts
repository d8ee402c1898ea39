import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REST } from '../src/callout-participations/contact-values.js';
import { outcomeGroups } from '../src/outcomes/outcome-names.js';
import type { Api, Body } from './support/api.js';
import { expectConsistentBookkeeping } from './support/bookkeeping.js';
import { runBatchOperation, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { storedCalls } from './support/self-running.js';
import { dialParticipation } from './support/simulated-calls.js';

/** The last four digits of numbers whose people behave differently. */
const endings = ['9900', '9901', '9902', '9903', '9904', '9905', '9921'];

/** Values of metadata, each with the text that groups have. */
const values: [value: unknown, text: string | null][] = [
  ['Pursat', 'Pursat'],
  [undefined, null],
  [null, null],
  [5, '5'],
  ['5', '5'],
  [1.5, '1.5'],
  [true, 'true'],
  [false, 'false'],
  ['', ''],
  [{ a: 'x' }, '{"a":"x"}'],
  [['x'], '["x"]'],
  ['say "hi",\nplease', 'say "hi",\nplease'],
  ['=1+1', '=1+1'],
  ['+855', '+855'],
  ['-1', '-1'],
  ['@x', '@x'],
  ['\tx', '\tx'],
  ['…', '…'],
  ['5.0', '5.0'],
  [' Pursat', ' Pursat'],
  ['pursat', 'pursat'],
  [1e21, way === 'cluster' ? '1000000000000000000000' : '1e+21'],
  [1e-7, way === 'cluster' ? '0.0000001' : '1e-7'],
  ['+85512345678', '+85512345678'],
  ['null', 'null'],
  ['a,b;c%_"\\', 'a,b;c%_"\\'],
  ['ភ្នំពេញ', 'ភ្នំពេញ'],
];

const params = { from: '2442', machine_detection: 'Enable' };

let installation: Installation;
let api: Api;
let campaign: number;
/** The texts at `metadata.area.province` of the people in the campaign. */
let texts: (string | null)[];
let numbers = 0;

const number = (ending: string): string => `+85570${String(100 + ++numbers)}${ending}`;

/** Creates a callout with an audience: the contacts of a new group. */
async function createCallout(): Promise<{ id: number; group: string }> {
  const group = `coverage-${++numbers}`;
  const { body } = await api.post('/api/callouts', {
    call_flow_logic: 'CallFlowLogic::PlayMessage',
    metadata: { message: 'The river is rising.' },
    audience: { contact_filter_params: { metadata: { group } } },
  });
  return { id: body.id, group };
}

async function addPerson(callout: number, ending: string, metadata: object = {}): Promise<number> {
  const [contact] = await api.createContacts({ msisdn: number(ending), metadata });
  return (await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id: contact })).body.id;
}

async function report(callout: number, path = 'coverage'): Promise<Body> {
  const { status, body, text } = await api.get(`/api/callouts/${callout}/${path}`);
  expect(status, `${path}: ${text}`).toBe(200);
  return body;
}

async function totalOf(callout: number, query = ''): Promise<number> {
  const { headers } = await api.get(`/api/callouts/${callout}/callout_participations?per_page=1${query}`);
  return Number(headers.get('total'));
}

/** @returns the number of each outcome, and of each group of outcomes, by name */
function flat(counts: Body): Record<string, number> {
  return Object.fromEntries(
    Object.keys(outcomeGroups).flatMap((group) => {
      const { total, ...each } = counts[group];
      return [[group, total], ...Object.entries(each)];
    }),
  );
}

/** Asserts that each total is the sum of its parts. */
function expectSums(counts: Body): void {
  for (const group of Object.keys(outcomeGroups)) {
    const { total, ...each } = counts[group];
    expect(total).toBe(sum(Object.values<number>(each)));
  }
  expect(counts.total).toBe(sum(Object.keys(outcomeGroups).map((group) => counts[group].total)));
}

/** Asserts that groups have different values, and add up to the whole in each number. */
function expectGroups(coverage: Body): void {
  for (const group of coverage.groups) expectSums(group);
  expect(new Set(coverage.groups.map(({ value }: Body) => value)).size).toBe(coverage.groups.length);
  for (const [name, count] of Object.entries({ ...flat(coverage), total: coverage.total })) {
    expect(
      sum(coverage.groups.map((group: Body) => ({ ...flat(group), total: group.total })[name])),
      `sum of ${name}`,
    ).toBe(count);
  }
}

const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start({ SIMULATOR_SPEED: '500', CALLS_PER_SECOND: '400', SIMULATOR_MACHINE: '0' })).api;
  const { id, group } = await createCallout();
  campaign = id;
  const people = values.flatMap(([province, text], index) =>
    endings.slice(0, 2 + (index % 6)).map((ending) => ({ ending, province, text })),
  );
  texts = people.map(({ text }) => text);
  const contacts = await api.createContacts(
    ...people.map(({ ending, province }) => ({ msisdn: number(ending), metadata: { group, area: { province } } })),
  );
  await sendCalloutEvent(api, campaign, 'pause');
  await runBatchOperation(api, campaign, 'CalloutPopulation', { contact_filter_params: { metadata: { group } } });
  await runBatchOperation(api, campaign, 'PhoneCallCreate', { remote_request_params: params });
  await runBatchOperation(api, campaign, 'PhoneCallQueue');
  await api.patch(`/api/contacts/${contacts[0]}`, { metadata: { do_not_call: 'yes' } });
  await sendCalloutEvent(api, campaign, 'resume');
  await eventually(async () => (await totalOf(campaign, '&q[outcome]=calling,waiting')) === 0);
  // Two people are not called yet. One contact of the audience has opted out, and another one is of another audience.
  for (const ending of ['9901', '9902']) {
    await addPerson(campaign, ending, { group });
    texts.push(null);
  }
  await api.createContacts({ msisdn: number('9901'), metadata: { group, do_not_call: true } });
  await api.createContacts({ msisdn: number('9901'), metadata: { group: 'other', do_not_call: true } });
});
afterAll(() => installation.remove());
afterAll(() => expectConsistentBookkeeping(installation));

describe('the coverage of a callout', () => {
  it('has each person in exactly one number, and each number is the total of a list', async () => {
    const coverage = await report(campaign);
    expect(Object.keys(coverage).join(' ')).toBe(
      'callout_id status at total reached not_reached not_called open left_out clocks',
    );
    expect(coverage).toMatchObject({ callout_id: campaign, status: 'running', left_out: { do_not_call: 1 } });
    expectSums(coverage);
    expect([coverage.total, await totalOf(campaign)]).toEqual([texts.length, texts.length]);
    const counts = flat(coverage);
    for (const [group, outcomes] of Object.entries(outcomeGroups)) {
      expect(await totalOf(campaign, `&q[outcome]=${outcomes.join(',')}`), `total of ${group}`).toBe(counts[group]);
      for (const outcome of outcomes) expect(await totalOf(campaign, `&q[outcome]=${outcome}`)).toBe(counts[outcome]);
    }
    const present = ['confirmed', 'answered', 'machine', 'busy', 'not_answered', 'failed', 'opted_out', 'waiting'];
    expect(present.filter((outcome) => counts[outcome] === 0)).toEqual([]);
  });

  it('shows what is canceled, expired and queued', async () => {
    const { id } = await createCallout();
    const participation = await addPerson(id, '9901');
    await addPerson(id, '9901');
    await sendCalloutEvent(api, id, 'pause');
    const path = `/api/callout_participations/${participation}/phone_calls`;
    const { body: call } = await api.post(path, { remote_request_params: params });
    await api.post(`/api/phone_calls/${call.id}/phone_call_events`, 'event=queue');
    expect((await report(id)).open).toEqual({ total: 2, waiting: 1, calling: 1, retrying: 0 });
    await sendCalloutEvent(api, id, 'stop');
    await eventually(async () => (await report(id)).not_called.canceled === 2);
    expect(await report(id)).toMatchObject({ status: 'stopped', open: { total: 0 } });
  });

  it('of nobody is all zeros, and has no groups', async () => {
    const id = await api.createCallout();
    const coverage = await report(id, 'coverage?group_by=metadata.province');
    expect(coverage).toMatchObject({ status: 'initialized', total: 0, left_out: { do_not_call: 0 }, groups: [] });
    expect([...new Set(Object.values(flat(coverage)))]).toEqual([0]);
    expect([...new Set(Object.values(coverage.clocks))]).toEqual([null]);
    expect(await report(id, 'timeline')).toEqual([]);
  });

  it('leaves out nobody whom the audience includes', async () => {
    const { id, group } = await createCallout();
    const [contact] = await api.createContacts({ msisdn: number('9901'), metadata: { group, do_not_call: true } });
    const [other] = await api.createContacts({ msisdn: number('9901'), metadata: { group, do_not_call: 1, a: 'b' } });
    expect((await report(id)).left_out).toEqual({ do_not_call: 2 });
    const leftOut = async (query: string) => api.listIds(`/api/callouts/${id}/left_out/contacts${query}`);
    expect(await leftOut('')).toEqual([contact, other]);
    expect(await leftOut('?q[metadata][a]=b')).toEqual([other]);
    const audience = { contact_filter_params: { metadata: { group } }, include_do_not_call: true };
    await api.patch(`/api/callouts/${id}`, { audience });
    expect((await report(id)).left_out).toEqual({ do_not_call: 0 });
    expect(await leftOut('')).toEqual([]);
    await api.patch(`/api/callouts/${id}`, { audience: null });
    expect((await report(id)).left_out).toEqual({ do_not_call: 0 });
    expect(await leftOut('')).toEqual([]);
    expect((await api.get('/api/callouts/99999/left_out/contacts')).status).toBe(404);
  });

  it('has the times of its stages', async () => {
    const { clocks, total } = await report(campaign);
    const calls = (await storedCalls(installation, campaign)).filter(({ dialled_at }) => dialled_at !== null);
    const accepted = calls.filter(({ status }) => status !== 'errored').map(({ dialled_at }) => dialled_at!.getTime());
    const tried = calls.map(({ dialled_at }) => dialled_at!.getTime()).toSorted((one, other) => one - other);
    const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
    const { body: callout } = await api.get(`/api/callouts/${campaign}`);
    expect(clocks).toEqual({
      started_at: callout.started_at,
      first_ring_at: iso(Math.min(...accepted)),
      half_first_tried_at: iso(tried[Math.ceil(total / 2) - 1]),
      nine_tenths_first_tried_at: iso(tried[Math.ceil(total * 0.9) - 1]),
      last_ring_at: iso(Math.max(...accepted)),
    });
    expect(clocks.half_first_tried_at).not.toBeNull();
  });

  it('counts the first attempt of each person, and is null until enough were tried', async () => {
    const { id } = await createCallout();
    const [person, other] = [await addPerson(id, '9902'), await addPerson(id, '9902')];
    for (let others = 0; others < 2; others++) await addPerson(id, '9902');
    await dialParticipation(api, person);
    expect((await report(id)).clocks).toMatchObject({ half_first_tried_at: null });
    await dialParticipation(api, other);
    await dialParticipation(api, person);
    const [first, second, third] = await storedCalls(installation, id);
    expect((await report(id)).clocks).toMatchObject({
      first_ring_at: first!.dialled_at!.toISOString(),
      half_first_tried_at: second!.dialled_at!.toISOString(),
      nine_tenths_first_tried_at: null,
      last_ring_at: third!.dialled_at!.toISOString(),
    });
  });
});

describe('half and nine tenths', () => {
  it('are the same as in the sorted times, however many of these are equal', async () => {
    const { id, group } = await createCallout();
    const rows = Array.from({ length: 41 }, (_, index) => `('+85587${1_000_000 + index}', '{"group":"${group}"}')`);
    await installation.query(`INSERT INTO contacts (msisdn, metadata) VALUES ${rows.join()}`);
    await runBatchOperation(api, id, 'CalloutPopulation', { contact_filter_params: { metadata: { group } } });
    const { body: people } = await api.get(`/api/callouts/${id}/callout_participations?per_page=1000`);
    const set = (time: string, condition: string) =>
      installation.query(`UPDATE callout_participations SET first_call_at = ${time} WHERE ${condition}`);
    for (const [distinct, triedOf41] of [
      [1, 41],
      [2, 41],
      [3, 37],
      [40, 41],
      [7, 36],
      [5, 21],
      [5, 20],
      [1, 0],
    ]) {
      const times = people.map((_: Body, index: number) =>
        (index * 17) % 41 < triedOf41!
          ? new Date(Date.UTC(2026, 0, 1) + ((index * 7) % distinct!) * 1_000).toISOString()
          : null,
      );
      await set('NULL', `callout_id = ${id}`);
      for (const time of new Set<string | null>(times)) {
        const ids = people.filter((_: Body, index: number) => times[index] === time).map((one: Body) => one.id);
        if (time) await set(`'${time}'`, `id IN (${ids.join()})`);
      }
      const sorted = times.filter((time: string | null) => time !== null).toSorted();
      expect((await report(id)).clocks, `${distinct} times of ${triedOf41}`).toMatchObject({
        half_first_tried_at: sorted[20] ?? null,
        nine_tenths_first_tried_at: sorted[36] ?? null,
      });
    }
    await set('NULL', `callout_id = ${id}`);
  });
});

describe('a call that the provider refused', () => {
  it('was an attempt, and did not ring', async () => {
    const { id } = await createCallout();
    await dialParticipation(api, await addPerson(id, '9921'));
    const [call] = await storedCalls(installation, id);
    expect((await report(id)).clocks).toMatchObject({
      first_ring_at: null,
      half_first_tried_at: call!.dialled_at!.toISOString(),
      last_ring_at: null,
    });
    expect(sum((await report(id, 'timeline')).map(({ attempts }: Body) => attempts))).toBe(1);
  });
});

describe('groups', () => {
  it.each(['metadata.area.province', 'metadata[area][province]'])('by %s add up to the whole', async (path) => {
    const coverage = await report(campaign, `coverage?group_by=${encodeURIComponent(path)}`);
    expectGroups(coverage);
    const { groups, at: _at, ...whole } = coverage;
    expect(whole).toEqual({ ...(await report(campaign)), at: undefined });
    // The databases format the JSON of objects and lists differently.
    const shown = groups.map(({ value, total }: Body) => [value?.replaceAll(/(?<=[:,]) /g, '') ?? null, total]);
    const expected = new Map<string | null, number>();
    for (const text of texts) expected.set(text, (expected.get(text) ?? 0) + 1);
    expect(new Map(shown)).toEqual(expected);
    expect(groups.map(({ total }: Body) => total)).toEqual(shown.map(([, total]: number[]) => total).sort(descending));
  });

  it('are the totals of the filter of the contacts’ metadata, in both lists', async () => {
    const { groups } = await report(campaign, 'coverage?group_by=metadata.area.province');
    for (const { value, total, reached } of groups) {
      const filter = `&q[contact_metadata][area][province]${value === null ? '' : `=${encodeURIComponent(value)}`}`;
      expect(await totalOf(campaign, filter), `total of ${value}`).toBe(total);
      expect(await totalOf(campaign, `${filter}&q[outcome]=confirmed,answered`)).toBe(reached.total);
      const { headers } = await api.get(`/api/callout_participations?per_page=1&q[callout_id]=${campaign}${filter}`);
      expect(Number(headers.get('total'))).toBe(total);
    }
    const two = '&q[contact_metadata][area][province]=Pursat&q[contact_metadata][nothing]';
    expect(await totalOf(campaign, two)).toBe(groups.find(({ value }: Body) => value === 'Pursat').total);
  });

  it('select the people of a batch operation', async () => {
    const { groups } = await report(campaign, 'coverage?group_by=metadata.area.province');
    for (const province of ['Pursat', 5, true, null, '{"a":"x"}']) {
      const shown = way === 'cluster' && typeof province === 'string' ? province.replace(':', ': ') : province;
      const filter = { contact_metadata: { area: { province: shown } } };
      const { body } = await api.post(`/api/callouts/${campaign}/batch_operations`, {
        type: 'BatchOperation::PhoneCallCreate',
        parameters: { remote_request_params: params, callout_participation_filter_params: filter },
      });
      const path = `/api/batch_operations/${body.id}/preview/callout_participations?per_page=1`;
      const group = groups.find(({ value }: Body) => value === (shown === null ? null : String(shown)));
      expect((await api.get(path)).headers.get('total'), `${province}`).toBe(String(group.total));
    }
  });

  it('are refused as filters that are no paths', async () => {
    const path = '/api/callout_participations?q[contact_metadata]';
    const bad = { status: 400, error: 'Bad Request' };
    expect((await api.get(`${path}=x`)).body).toEqual({ ...bad, message: 'q[contact_metadata] must be an object' });
    expect((await api.get(`${path}[a][]=x`)).body).toMatchObject(bad);
  });

  it('without a value are one group', async () => {
    const coverage = await report(campaign, 'coverage?group_by=metadata.nothing.0.here');
    expect(coverage.groups).toMatchObject([{ value: null, total: texts.length }]);
    expectGroups(coverage);
  });

  it('beyond 1,000 are one group, and people without a value are always shown', async () => {
    const { id, group } = await createCallout();
    const rows = Array.from({ length: 2_300 }, (_, index) => {
      const province = index < 200 ? `often-${index % 50}` : `twice-${index >> 1}`;
      const metadata = { group, ...(index !== 2_299 && { province }) };
      return `('+85588${1_000_000 + index}', '${JSON.stringify(metadata)}')`;
    });
    await installation.query(`INSERT INTO contacts (msisdn, metadata) VALUES ${rows.join()}`);
    await runBatchOperation(api, id, 'CalloutPopulation', { contact_filter_params: { metadata: { group } } });
    const coverage = await report(id, 'coverage?group_by=metadata.province');
    expect([coverage.total, coverage.groups.length]).toEqual([2_300, 1_001]);
    expectGroups(coverage);
    const sizes = new Map<string | null, number>(coverage.groups.map(({ value, total }: Body) => [value, total]));
    expect([sizes.get(null), sizes.get('…'), sizes.get('often-49')]).toEqual([1, 2_099 - 2 * 949, 4]);
    const { text } = await api.get(`/api/callouts/${id}/coverage.csv?group_by=metadata.province`);
    expect(parse(text, { bom: true })).toHaveLength(1_002);
    for (const [value, total] of [...sizes].filter(([, size]) => size !== 2)) {
      const filter = `&q[contact_metadata][province]${value === null ? '' : `=${encodeURIComponent(value)}`}`;
      expect(await totalOf(id, filter), `total of ${value}`).toBe(total);
    }
    const everywhere = `/api/callout_participations?q[callout_id]=${id}&q[contact_metadata][province]=${REST}`;
    expect((await api.get(everywhere)).headers.get('total')).toBe('0');
  });

  it('show 200 characters of a value', async () => {
    const { id } = await createCallout();
    for (const end of ['a', 'b']) await addPerson(id, '9900', { text: `${'x'.repeat(200)}${end}` });
    const { groups } = await report(id, 'coverage?group_by=metadata.text');
    expect(groups).toMatchObject([{ value: 'x'.repeat(200), total: 2 }]);
    const totals = ['', 'a', 'c'].map((end) => totalOf(id, `&q[contact_metadata][text]=${'x'.repeat(200)}${end}`));
    expect(await Promise.all(totals)).toEqual([2, 1, 0]);
  });
});

it.each([
  [`SELECT count(*) FROM callout_participations WHERE callout_id = 1 AND outcome = 'busy'`, 'callout_id_outcome'],
  [
    `SELECT first_call_at FROM callout_participations WHERE callout_id = 1 AND first_call_at IS NOT NULL
      ORDER BY first_call_at LIMIT 1 OFFSET 9`,
    'first_call_at',
  ],
])('reads only an index: %s', async (statement, index) => {
  const connection = await installation.connect();
  try {
    if (way === 'cluster') await connection.query('SET enable_seqscan = off; SET enable_bitmapscan = off');
    const plan = await connection.query(`${way === 'cluster' ? 'EXPLAIN' : 'EXPLAIN QUERY PLAN'} ${statement}`);
    const indexOnly = way === 'cluster' ? 'Index Only Scan using' : 'USING COVERING INDEX';
    expect(JSON.stringify(plan)).toContain(`${indexOnly} callout_participations_${index}`);
    expect(JSON.stringify(plan)).not.toMatch(/Sort|TEMP B-TREE/);
  } finally {
    await connection.close();
  }
});

describe('the table', () => {
  const columns = ['total', ...Object.entries(outcomeGroups).flatMap(([group, outcomes]) => [group, ...outcomes])];

  it('has the groups of the report, and no formulas', async () => {
    const path = `/api/callouts/${campaign}/coverage.csv?group_by=metadata.area.province`;
    const { status, headers, text } = await api.get(path);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(headers.get('content-disposition')).toBe(`attachment; filename="callout-${campaign}-coverage.csv"`);
    expect(text.endsWith('\r\n')).toBe(true);
    // An empty text is quoted, and no value is not.
    expect([text.split('\r\n""').length, text.split('\r\n,').length]).toEqual([2, 2]);
    const [header, ...rows] = parse(text, { bom: true, record_delimiter: '\r\n' });
    expect(header).toEqual(['value', ...columns]);
    const { groups } = await report(campaign, 'coverage?group_by=metadata.area.province');
    const safe = (value: string | null) =>
      value && /^[=+\-@\t\r]/.test(value) && value !== '+85512345678' ? `'${value}` : (value ?? '');
    expect(rows).toEqual(
      groups.map((group: Body) => {
        const counts: Record<string, number> = { ...flat(group), total: group.total };
        return [safe(group.value), ...columns.map((column) => String(counts[column]))];
      }),
    );
    expect(rows.filter(([value]) => value!.startsWith("'"))).toHaveLength(5);
  });

  it('has one row without groups', async () => {
    const { text } = await api.get(`/api/callouts/${campaign}/coverage.csv`);
    const coverage = await report(campaign);
    const counts: Record<string, number> = { ...flat(coverage), total: coverage.total };
    expect(parse(text, { bom: true, columns: true })).toEqual([
      { value: '', ...Object.fromEntries(columns.map((column) => [column, String(counts[column])])) },
    ]);
  });
});

describe('the timeline', () => {
  it.each([1, 7, 60])('by %i seconds has every dialed call and every reached person', async (every) => {
    const timeline: Body[] = await report(campaign, `timeline?every=${every}`);
    const { reached, clocks } = await report(campaign);
    const { body: people } = await api.get(`/api/callouts/${campaign}/callout_participations?per_page=1000`);
    const total = (name: string) => sum(timeline.map((interval) => interval[name]));
    expect([total('attempts'), total('reached'), total('confirmed')]).toEqual([
      sum(people.map(({ attempts }: Body) => attempts)),
      reached.total,
      reached.confirmed,
    ]);
    const times = timeline.map(({ at }) => Date.parse(at));
    expect(times).toEqual(times.map((_, index) => times[0]! + index * every * 1_000));
    expect(times[0]).toBeLessThanOrEqual(Date.parse(clocks.first_ring_at));
    const calls = (await storedCalls(installation, campaign)).filter(({ dialled_at }) => dialled_at !== null);
    expect(timeline.map(({ attempts }) => attempts)).toEqual(
      times.map((from) => {
        const to = from + every * 1_000;
        return calls.filter(({ dialled_at }) => +dialled_at! >= from && +dialled_at! < to).length;
      }),
    );
  });

  it('has intervals in which nothing happened, and says which length is enough', async () => {
    const { id } = await createCallout();
    const person = await addPerson(id, '9900');
    await dialParticipation(api, person);
    const first = '2026-01-01T00:00:00.000Z';
    const setTimes = (dialed: string, ended: string) =>
      installation.query(
        `UPDATE phone_calls SET dialled_at = '${dialed}', ended_at = '${ended}' WHERE callout_id = ${id}`,
      );
    await setTimes(first, '2026-01-01T00:03:00.000Z');
    expect(await report(id, 'timeline')).toEqual([
      { at: first, attempts: 1, reached: 0, confirmed: 0 },
      { at: '2026-01-01T00:01:00.000Z', attempts: 0, reached: 0, confirmed: 0 },
      { at: '2026-01-01T00:02:00.000Z', attempts: 0, reached: 0, confirmed: 0 },
      { at: '2026-01-01T00:03:00.000Z', attempts: 0, reached: 1, confirmed: 0 },
    ]);
    await setTimes(first, '2026-01-01T00:33:19.999Z');
    expect(await report(id, 'timeline?every=2')).toHaveLength(1_000);
    await setTimes(first, '2026-01-01T00:33:20.000Z');
    const { status, body } = await api.get(`/api/callouts/${id}/timeline?every=2`);
    expect([status, body]).toEqual([
      422,
      { errors: { every: ['must be at least 3: a timeline has at most 1,000 intervals'] } },
    ]);
    expect((await report(id, 'timeline?every=3')).length).toBeLessThanOrEqual(1_000);
    await api.patch(`/api/callout_participations/${person}`, { metadata: { confirmed_at: 'yesterday, I think' } });
    expect((await report(id, 'timeline?every=3')).at(-1)).toMatchObject({ reached: 1, confirmed: 1 });
    await restoreTimes(id);
  });

  it('ignores a machine that answered before the person', async () => {
    const { id } = await createCallout();
    const person = await addPerson(id, '9905');
    await dialParticipation(api, person, params);
    const path = `/api/callout_participations/${person}/phone_calls`;
    const { body: call } = await api.post(path, { msisdn: number('9900'), remote_request_params: params });
    await api.post(`/api/phone_calls/${call.id}/phone_call_events`, 'event=queue');
    await eventually(async () => (await report(id)).reached.answered === 1);
    const [machine, answered] = await storedCalls(installation, id);
    const late = new Date(+answered!.ended_at! + 30_000).toISOString();
    await installation.query(`UPDATE phone_calls SET ended_at = '${late}' WHERE id = ${machine!.id}`);
    const timeline: Body[] = await report(id, 'timeline?every=1');
    const reached = timeline.findIndex((interval) => interval.reached === 1);
    const since = +answered!.ended_at! - Date.parse(timeline[0].at);
    expect(reached).toBe(Math.floor(since / 1_000));
  });
});

/** Gives the participations of a callout the time at which the test says that their call was dialed. */
async function restoreTimes(callout: number): Promise<void> {
  await installation.query(
    `UPDATE callout_participations SET (first_call_at, last_call_at) = (SELECT min(dialled_at), max(dialled_at)
      FROM phone_calls WHERE callout_participation_id = callout_participations.id) WHERE callout_id = ${callout}`,
  );
}

describe('a report', () => {
  it.each(['coverage', 'coverage?group_by=metadata.province', 'coverage.csv', 'timeline?every=600'])(
    '%s is not sent again until it has changed',
    async (report) => {
      const { id } = await createCallout();
      const person = await addPerson(id, '9902');
      await dialParticipation(api, person);
      await eventually(async () => (await totalOf(id, '&q[outcome]=busy')) === 1);
      const path = `/api/callouts/${id}/${report}`;
      const first = await api.get(path);
      const tag = first.headers.get('etag')!;
      expect(tag).toMatch(/^W\/"\w+"$/);
      for (const given of [tag, tag.replace('W/', ''), `"other", ${tag}`]) {
        const same = await api.get(path, { 'If-None-Match': given });
        expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', tag]);
      }
      await dialParticipation(api, await addPerson(id, '9902'));
      const changed = await api.get(path, { 'If-None-Match': tag });
      expect([changed.status, changed.headers.get('etag') === tag]).toEqual([200, false]);
      expect(changed.text).not.toBe(first.text);
    },
  );

  it.each(['coverage', 'coverage.csv', 'timeline'])('%s of no callout is 404', async (report) => {
    expect((await api.get(`/api/callouts/99999/${report}`)).status).toBe(404);
    expect((await api.get(`/api/callouts/99999/${report}?nonsense=1&group_by=x&every=x`)).status).toBe(404);
    expect((await api.get(`/api/callouts/x/${report}`)).status).toBe(404);
  });

  it.each(['coverage', 'coverage.csv'])('%s refuses an invalid group_by and any other parameter', async (report) => {
    const path = `/api/callouts/${campaign}/${report}`;
    const message = 'must be a path in the metadata of contacts, such as metadata.province';
    const invalid = [
      'province',
      'metadata',
      'metadata.',
      'metadata..a',
      'metadata.a.',
      'metadata[]',
      'metadata[a]b',
      'metadata.__proto__',
    ];
    for (const one of [...invalid, 'msisdn', '.metadata.a', `metadata.${'a.'.repeat(32)}b`]) {
      const { status, body } = await api.get(`${path}?group_by=${encodeURIComponent(one)}`);
      expect([one, status, body]).toEqual([one, 422, { errors: { group_by: [message] } }]);
    }
    expect((await api.get(`${path}?group_by[a]=b`)).body).toEqual({ errors: { group_by: [message] } });
    const { status, body } = await api.get(`${path}?page=1&group_by=x`);
    expect([status, body.errors]).toEqual([422, { page: ['is not a permitted parameter'], group_by: [message] }]);
    expect((await api.get(`${path}?group_by=metadata.a&group_by=metadata.b`)).status).toBe(400);
    expect((await api.get(`${path}?group_by=`)).text).not.toContain('groups');
    for (const [depth, status] of [
      [30, 200],
      [31, 422],
    ]) {
      expect((await api.get(`${path}?group_by=metadata${'.a'.repeat(depth!)}`)).status).toBe(status);
    }
    const deepest = `q[contact_metadata]${'[a]'.repeat(30)}`;
    expect((await api.get(`/api/callout_participations?${deepest}`)).status).toBe(200);
    for (const odd of [`metadata.a"b`, `metadata.$`, `metadata[a.b]`, `metadata.a'b`, 'metadata.0', `metadata.a\\`]) {
      expect([odd, (await api.get(`${path}?group_by=${encodeURIComponent(odd)}`)).status]).toEqual([odd, 200]);
    }
  });

  it('timeline refuses an invalid every and any other parameter', async () => {
    for (const every of ['0', '-1', '1.5', 'x', '1e3', '9999999999', '00']) {
      const { status, body } = await api.get(`/api/callouts/${campaign}/timeline?every=${every}`);
      expect([every, status, Object.keys(body.errors)]).toEqual([every, 422, ['every']]);
    }
    const { status, body } = await api.get(`/api/callouts/${campaign}/timeline?group_by=metadata.a`);
    expect([status, body]).toEqual([422, { errors: { group_by: ['is not a permitted parameter'] } }]);
  });
});

function descending(one: number, other: number): number {
  return other - one;
}

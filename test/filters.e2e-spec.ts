import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from './support/api.js';
import { Installation } from './support/installation.js';

let installation: Installation;
let api: Api;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start()).api;
});
afterAll(() => installation.remove());

describe('filters on metadata', () => {
  const metadata = {
    text: 'x y',
    number: 5,
    digits: '5',
    fraction: 1.5,
    exponent: 1e21,
    tiny: 5e-324,
    yes: true,
    no: 'false',
    nothing: null,
    empty: '',
    nested: { a: { b: 'deep' } },
    list: ['first', { k: 'second' }, ['third']],
    numbered: { 0: 'zero', '01': 'padded', '-1': 'minus' },
    'with space': '1',
    'dot.ted': '1',
    'com,ma': '1,2',
    '"quoted"': '1',
    "apos'trophe": '1',
    'back\\slash': '1',
    '{brace}$%?:': '1',
    ខេត្ត: 'បាត់ដំបង',
    '😀': '😀',
    constructor: '1',
    'NULL; --': "'; DROP TABLE contacts; --",
  };
  let id: number;

  beforeAll(async () => {
    [id] = (await api.createContacts({ msisdn: '+85510202101', metadata }, { msisdn: '+85510202102' })) as [
      number,
      number,
    ];
  });

  const found = (query: string) => api.listIds(`/api/contacts?${query}`);
  const encoded = (...path: string[]) => `q[metadata]${path.map((key) => `[${encodeURIComponent(key)}]`).join('')}`;

  it.each([
    ['text', 'x y'],
    ['number', '5'],
    ['digits', '5'],
    ['fraction', '1.5'],
    ['exponent', '1e+21'],
    ['tiny', '5e-324'],
    ['yes', 'true'],
    ['no', 'false'],
    ['empty', ''],
    ['with space', '1'],
    ['dot.ted', '1'],
    ['com,ma', '1,2'],
    ['"quoted"', '1'],
    ["apos'trophe", '1'],
    ['back\\slash', '1'],
    ['{brace}$%?:', '1'],
    ['ខេត្ត', 'បាត់ដំបង'],
    ['😀', '😀'],
    ['constructor', '1'],
    ['NULL; --', "'; DROP TABLE contacts; --"],
  ])('find %s by %s', async (key, value) => {
    expect(await found(`${encoded(key)}=${encodeURIComponent(value)}`)).toEqual([id]);
    expect(await found(`${encoded(key)}=${encodeURIComponent(`${value}?`)}`)).toEqual([]);
  });

  it.each([
    [['nested', 'a', 'b'], 'deep'],
    [['list', '0'], 'first'],
    [['list', '1', 'k'], 'second'],
    [['list', '2', '0'], 'third'],
    [['numbered', '0'], 'zero'],
    [['numbered', '01'], 'padded'],
    [['numbered', '-1'], 'minus'],
  ])('find %j by %s', async (path, value) => {
    expect(await found(`${encoded(...path)}=${value}`)).toEqual([id]);
  });

  it.each([
    [['list', '-1'], 'third'],
    [['list', '00'], 'first'],
    [['list', '+0'], 'first'],
    [['list', ' 0'], 'first'],
    [['list'], 'first'],
    [['nested', 'a'], '{"b":"deep"}'],
    [['text', '0'], 'x'],
    [['digits'], '5.0'],
    [['number'], '05'],
    [['number'], '+5'],
    [['number'], '5.00000000000000000001'],
    [['yes'], '1'],
    [['text'], 'X Y'],
    [['nothing'], 'null'],
    [['absent'], ''],
  ])('do not find %j by %s', async (path, value) => {
    expect(await found(`${encoded(...path)}=${encodeURIComponent(value)}`)).toEqual([]);
  });

  it.each([
    [['number'], '5.0'],
    [['number'], '5e0'],
    [['fraction'], '1.50'],
    [['fraction'], '15E-1'],
    [['exponent'], '1000000000000000000000'],
  ])('find the number %j by %s, alike in a query and in a batch operation', async (path, value) => {
    expect(await found(`${encoded(...path)}=${encodeURIComponent(value)}`)).toEqual([id]);
    const filter = { metadata: path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) };
    const population = await api.createPopulation(await api.createCallout(), { contact_filter_params: filter });
    expect(await api.listIds(`/api/batch_operations/${population}/preview/contacts`)).toEqual([id]);
  });

  it('never find a number by another that is rounded to it', async () => {
    const stored = '{"msisdn":"+85510202177","metadata":{"household":9007199254740992,"as_sent":30.0}}';
    const headers = { 'Content-Type': 'application/json' };
    const { body: contact } = await api.send('POST', '/api/contacts', stored, headers);
    expect(await found('q[metadata][household]=9007199254740993')).toEqual([]);
    expect(await found('q[metadata][household]=9007199254740992')).toEqual([contact.id]);
    expect(await found('q[metadata][as_sent]=30.0')).toEqual([contact.id]);
    expect(await found('q[metadata][as_sent]=30')).toEqual([contact.id]);
    const refused = await api.send('POST', '/api/contacts', stored.replace('0992', '0993'), headers);
    expect([refused.status, refused.body.message]).toEqual([
      400,
      'a number has more digits than can be kept; send it as a string',
    ]);
    const filter =
      '{"type":"BatchOperation::CalloutPopulation","parameters":{"contact_filter_params":{"metadata":{"household":HOUSEHOLD}}}}';
    const path = `/api/callouts/${await api.createCallout()}/batch_operations`;
    expect((await api.send('POST', path, filter.replace('HOUSEHOLD', '9007199254740993'), headers)).status).toBe(400);
    await api.delete(`/api/contacts/${contact.id}`);
  });

  it('without a value find rows whose key is absent or null', async () => {
    expect(await found('q[metadata][nothing]')).toEqual([id, id + 1]);
    expect(await found('q[metadata][nested][a][c]')).toEqual([id, id + 1]);
    expect(await found('q[metadata][list][3]')).toEqual([id, id + 1]);
    expect(await found('q[metadata][text]')).toEqual([id + 1]);
    expect(await found('q[metadata][empty]')).toEqual([id + 1]);
    expect(await found('q[metadata][list][0]')).toEqual([id + 1]);
  });

  it('must all match', async () => {
    expect(await found('q[metadata][number]=5&q[metadata][text]=x+y&q[msisdn]=855 10 202 101')).toEqual([id]);
    expect(await found('q[metadata][number]=5&q[metadata][text]=z')).toEqual([]);
  });
});

describe('filters on plain attributes', () => {
  it('accept a number in any spelling, and several, with spaces around the commas', async () => {
    const [one, two] = await api.createContacts({ msisdn: '+85510303001' }, { msisdn: '+85510303002' });
    expect(await api.listIds('/api/contacts?q[msisdn]=855 10 303 001')).toEqual([one]);
    expect(await api.listIds('/api/contacts?q[msisdn]=%2B85510303001 , 85510303002,')).toEqual([one, two]);
  });

  it('find callouts by status and call flow', async () => {
    const flow = 'CallFlowLogic::Application';
    const { body: callout } = await api.post('/api/callouts', { call_flow_logic: flow });
    await api.post(`/api/callouts/${callout.id}/callout_events`, 'event=start');
    expect(await api.listIds('/api/callouts?q[status]=running')).toEqual([callout.id]);
    expect(await api.listIds('/api/callouts?q[status]=paused, running')).toEqual([callout.id]);
    expect(await api.listIds('/api/callouts?q[status]=stopped')).toEqual([]);
    expect(await api.listIds(`/api/callouts?q[call_flow_logic]=${flow}`)).toEqual([callout.id]);
  });

  it('find participations by the records they belong to, and by the call flow that they show', async () => {
    const flow = 'CallFlowLogic::Application';
    const [contact] = await api.createContacts({ msisdn: '+85510303003' });
    const { body: callout } = await api.post('/api/callouts', { call_flow_logic: flow });
    const population = await api.createPopulation(callout.id, { contact_filter_params: { msisdn: '+85510303003' } });
    await api.runBatchOperation(population);
    const [added] = await api.listIds(`/api/callouts/${callout.id}/callout_participations`);
    const [other] = await api.createContacts({ msisdn: '+85510303004' });
    const path = `/api/callouts/${callout.id}/callout_participations`;
    const { body: byHand } = await api.post(path, { contact_id: other });
    const found = (query: string) => api.listIds(`/api/callout_participations?q[callout_id]=${callout.id}&${query}`);
    expect(await found(`q[contact_id]=${contact}`)).toEqual([added]);
    expect(await found(`q[callout_population_id]=${population}`)).toEqual([added]);
    expect(await found('q[callout_population_id]')).toEqual([byHand.id]);
    expect(await found('q[msisdn]=85510303004')).toEqual([byHand.id]);
    expect(await found(`q[call_flow_logic]=${flow}`)).toEqual([added, byHand.id]);
    expect(await found('q[contact_id]=99999999999999999999')).toEqual([]);
    expect((await api.get(`/api/callout_participations/${added}`)).body.call_flow_logic).toBe(flow);
  });

  it('find batch operations by status, type, callout and parameters', async () => {
    const callout = await api.createCallout();
    const id = await api.createPopulation(callout, { contact_filter_params: { metadata: { 'a b': 'x' } } });
    const found = (query: string) => api.listIds(`/api/batch_operations?q[callout_id]=${callout}&${query}`);
    expect(await found('q[status]=preview&q[type]=BatchOperation::CalloutPopulation')).toEqual([id]);
    expect(await found('q[parameters][contact_filter_params][metadata][a b]=x')).toEqual([id]);
    expect(await found('q[parameters][contact_filter_params][metadata][a b]=y')).toEqual([]);
    expect(await found('q[status]=queued')).toEqual([]);
  });
});

describe('filters on time', () => {
  let path: string;
  const created = {
    early: '2017-11-28T23:59:59.999Z',
    start: '2017-11-29T00:00:00.000Z',
    noon: '2017-11-29T12:00:00.000Z',
    next: '2017-11-30T00:00:00.000Z',
  };

  beforeAll(async () => {
    const callout = await api.createCallout();
    path = `/api/callouts/${callout}/contacts`;
    for (const [n, [name, time]] of Object.entries(created).entries()) {
      const [id] = await api.createContacts({ msisdn: `+8551040400${n}`, metadata: { name } });
      await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id: id });
      await installation.query(`UPDATE contacts SET created_at = '${time}' WHERE id = ${id}`);
    }
  });

  it.each([
    ['before=2017-11-29', 'early'],
    ['or_before=2017-11-29', 'early start noon'],
    ['after=2017-11-29', 'next'],
    ['or_after=2017-11-29', 'start noon next'],
    ['before=2017-11-29T12:00:00Z', 'early start'],
    ['or_before=2017-11-29T12:00:00Z', 'early start noon'],
    ['after=2017-11-29T12:00:00Z', 'next'],
    ['or_after=2017-11-29T12:00:00Z', 'noon next'],
    ['or_after=2017-11-29 12:00', 'noon next'],
    ['or_after=2017-11-29T19:00:00.000%2B07:00', 'noon next'],
    ['or_after=2017-11-29T19:00:00+0700', 'noon next'],
    ['after=2017-11-29T05:00:00-07:00', 'next'],
    ['before=9999-12-31', 'early start noon next'],
    ['or_before=9999-12-31', 'early start noon next'],
  ])('created_at_%s finds %s', async (query, expected) => {
    const { body } = await api.get(`${path}?q[created_at_${query}`.replace('=', ']='));
    expect(body.map((contact: { metadata: { name: string } }) => contact.metadata.name).join(' ')).toBe(expected);
  });

  it.each(['yesterday', '2017-13-01', '2017-02-29', '29/11/2017', '2017-11-29T25:00', '', '2017'])(
    'refuse %s',
    async (value) => {
      const { status, body } = await api.get(`${path}?q[updated_at_before]=${encodeURIComponent(value)}`);
      expect([status, body.message]).toEqual([400, 'q[updated_at_before] must be an ISO 8601 date or timestamp']);
    },
  );
});

describe('an invalid filter', () => {
  it.each([
    ['contacts', 'q[metdata][gender]=f', 'metdata'],
    ['contacts', 'q[gender]=f', 'gender'],
    ['contacts', 'q=f', 'q'],
    ['contacts', 'q[metadata]=f', 'metadata'],
    ['contacts', 'q[metadata]', 'metadata'],
    ['contacts', 'q[msisdn]=abc', 'msisdn'],
    ['contacts', 'q[msisdn]=', 'msisdn'],
    ['contacts', 'q[msisdn]', 'msisdn'],
    ['contacts', 'q[msisdn][a]=1', 'msisdn'],
    ['contacts', 'q[toString]=1', 'toString'],
    ['callouts', 'q[status]=runing', 'status'],
    ['callouts', 'q[msisdn]=85510202101', 'msisdn'],
    ['callout_participations', 'q[contact_id]=x', 'contact_id'],
    ['callout_participations', 'q[has_phone_call]=true', 'has_phone_call'],
    ['batch_operations', 'q[type]=BatchOperation::Nothing', 'type'],
  ])('on %s, %s, is 400 and names it', async (list, query, name) => {
    const { status, body } = await api.get(`/api/${list}?${query}`);
    expect(status).toBe(400);
    expect(body).toEqual({ status: 400, error: 'Bad Request', message: expect.stringContaining(`q[${name}]`) });
  });
});

it('stores any JSON as metadata unchanged, and finds the contact by each of its leaves', async () => {
  let next = 0;
  const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.includes('\0'));
  const key = text.filter((value) => value !== '__proto__');
  const { value } = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('object'),
    ),
    object: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  }));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true }), async (generated) => {
      const metadata = JSON.parse(JSON.stringify(generated));
      const msisdn = `+85511${String(++next).padStart(6, '0')}`;
      const { body: contact } = await api.post('/api/contacts', { msisdn, metadata });
      expect(contact.metadata).toEqual(metadata);
      expect((await api.get(`/api/contacts/${contact.id}`)).body.metadata).toEqual(metadata);
      const callout = await api.createCallout();
      for (const { path, leaf } of leavesOf(metadata)) {
        const filter = { msisdn, metadata: path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), leaf) };
        const population = await api.createPopulation(callout, { contact_filter_params: filter });
        expect(await api.listIds(`/api/batch_operations/${population}/preview/contacts`)).toEqual([contact.id]);
        if (path.some((name) => /[[\]]|^$/.test(name))) continue;
        const query = path.map((name) => `[${encodeURIComponent(name)}]`).join('');
        const suffix = leaf === null ? '' : `=${encodeURIComponent(`${leaf as string}`)}`;
        const number = `q[msisdn]=${encodeURIComponent(msisdn)}`;
        expect(await api.listIds(`/api/contacts?${number}&q[metadata]${query}${suffix}`)).toEqual([contact.id]);
        // Another value matches no contact, so the filter compares the value.
        expect(
          await api.listIds(`/api/contacts?${number}&q[metadata]${query}=${encodeURIComponent(`${leaf as string}~`)}`),
        ).toEqual([]);
      }
    }),
    { numRuns: 100 },
  );
});

it('does not execute keys and values as SQL', async () => {
  const sqlFragments = fc.string({
    unit: fc.constantFrom(
      "'",
      '"',
      ';',
      '--',
      '/*',
      '*/',
      '\\',
      '$1',
      '?',
      ':a',
      ')',
      '(',
      ' OR ',
      'TRUE',
      '{',
      '}',
      '$.',
      '[0]',
      '`',
      '@>',
      '::text',
    ),
    maxLength: 10,
  });
  const rows = (await api.get('/api/contacts')).headers.get('total');
  await fc.assert(
    fc.asyncProperty(sqlFragments, sqlFragments, sqlFragments, async (a, b, text) => {
      const filter = { metadata: { [a]: { [b]: text } } };
      const population = await api.createPopulation(await api.createCallout(), { contact_filter_params: filter });
      expect(await api.listIds(`/api/batch_operations/${population}/preview/contacts`)).toEqual([]);
      expect((await api.get(`/api/contacts?q[${encodeURIComponent(`x${a.replaceAll(/[[\]]/g, '')}`)}]=1`)).status).toBe(
        400,
      );
    }),
    { numRuns: 100 },
  );
  expect((await api.get('/api/contacts')).headers.get('total')).toBe(rows);
});

function leavesOf(value: unknown, path: string[] = []): { path: string[]; leaf: unknown }[] {
  if (typeof value !== 'object' || value === null) return [{ path, leaf: value }];
  return Object.entries(value).flatMap(([key, nested]) => leavesOf(nested, [...path, key]));
}

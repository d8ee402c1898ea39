import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from './support/api.js';
import { Installation } from './support/installation.js';

const TOO_LARGE = ['is too large'];
/** The largest text: an object with it and a key of one letter is 65,536 bytes of JSON, the limit. */
const LARGEST = 'x'.repeat(65_536 - '{"a":""}'.length);

let installation: Installation;
let api: Api;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start()).api;
});
afterAll(() => installation.remove());

describe('an object in a record', () => {
  it('can have at most 64 KiB when the record is created', async () => {
    const create = async (path: string, body: object) => {
      const answer = await api.post(path, body);
      return answer.status === 201 ? 201 : answer.body.errors;
    };
    for (const path of ['/api/contacts', '/api/callouts']) {
      const others = path === '/api/contacts' ? { msisdn: '+85510202101' } : {};
      expect(await create(path, { ...others, metadata: { a: `${LARGEST}x` } })).toEqual({ metadata: TOO_LARGE });
      // The limit is in bytes, not characters.
      expect(await create(path, { ...others, metadata: { a: 'ក'.repeat(22_000) } })).toEqual({ metadata: TOO_LARGE });
      expect(await create(path, { ...others, metadata: { a: LARGEST } })).toBe(201);
    }
    const operations = `/api/callouts/${await api.createCallout()}/batch_operations`;
    const type = 'BatchOperation::CalloutPopulation';
    expect(await create(operations, { type, metadata: { a: `${LARGEST}x` } })).toEqual({ metadata: TOO_LARGE });
    const parameters = { contact_filter_params: { metadata: { a: LARGEST } } };
    expect(await create(operations, { type, parameters })).toEqual({ parameters: TOO_LARGE });
  });

  it('cannot exceed that by merging; the record stays unchanged', async () => {
    const [id] = await api.createContacts({ msisdn: '+85510202102' });
    const statuses: number[] = [];
    for (let n = 0; n < 8; n++) {
      const changes = { metadata: { deep: { [`k${n}`]: 'x'.repeat(12_000) } }, metadata_merge_mode: 'deep_merge' };
      statuses.push((await api.patch(`/api/contacts/${id}`, changes)).status);
    }
    expect(statuses).toEqual([204, 204, 204, 204, 204, 422, 422, 422]);
    const { body } = await api.get(`/api/contacts/${id}`);
    expect(Object.keys(body.metadata.deep)).toEqual(['k0', 'k1', 'k2', 'k3', 'k4']);
    const smaller = { metadata: { a: 1 }, metadata_merge_mode: 'replace' };
    expect((await api.patch(`/api/contacts/${id}`, smaller)).status).toBe(204);
  });
});

describe('a page', () => {
  it('of more than 16 MiB is refused, and the message suggests per_page', async () => {
    for (let n = 100; n < 370; n++) {
      await api.createContacts({ msisdn: `+85510203${n}`, metadata: { a: LARGEST } });
    }
    const { status, body } = await api.get('/api/contacts?per_page=1000');
    expect([status, body.message]).toEqual([400, expect.stringContaining('per_page')]);
    expect((await api.get('/api/contacts?per_page=200')).body).toHaveLength(200);
  });
});

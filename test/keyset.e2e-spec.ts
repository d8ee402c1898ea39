import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { Installation } from './support/installation.js';

const CONTACTS = 500;

let installation: Installation;
let api: Api;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start()).api;
  await installation.insertContacts(CONTACTS);
});
afterAll(() => installation.remove());

/**
 * @returns the path of the next page; undefined on the last page
 * @throws Error when `Link` has other links
 */
function nextOf(headers: Headers): string | undefined {
  const link = headers.get('link');
  if (link === null) return undefined;
  const [, url] = /^<([^>]+)>; rel="next"$/.exec(link) ?? [];
  if (!url) throw new Error(`Not just the next page: ${link}`);
  return url.slice(api.url.length);
}

/** Follows the links from the page at `path` to the last one. @returns the ids in the order of the pages */
async function walk(path: string, afterPage = async (_page: Body[]): Promise<void> => {}): Promise<number[]> {
  const ids: number[] = [];
  for (let at: string | undefined = path; at;) {
    const { status, body, headers, text } = await api.get(at);
    if (status !== 200) throw new Error(`${at}: ${text}`);
    ids.push(...body.map(({ id }: Body) => id));
    at = nextOf(headers);
    await afterPage(body);
  }
  return ids;
}

describe('reading a list by after_id', () => {
  it('begins at 0 and returns each row once, in the order of the ids', async () => {
    const ids = await walk('/api/contacts?after_id=0&per_page=7');
    expect(ids).toEqual(await api.listIds('/api/contacts'));
    expect(ids).toHaveLength(CONTACTS);
  });

  it('skips and repeats no row while rows are added and deleted', async () => {
    const initial = await api.listIds('/api/contacts');
    const deleted: number[] = [];
    let added = 0;
    // After each page, one of its rows is deleted, so that page numbers would skip a row, and a row is added.
    const seen = await walk('/api/contacts?after_id=0&per_page=20', async (page) => {
      const [first] = page;
      if (!first || added === 10) return;
      await api.delete(`/api/contacts/${first.id}`);
      deleted.push(first.id);
      await api.createContacts({ msisdn: `+8551055${String(++added).padStart(4, '0')}` });
    });
    expect(added).toBe(10);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.filter((id) => initial.includes(id))).toEqual(initial);
    expect(seen.length - initial.length).toBe(added);
    expect((await api.listIds('/api/contacts')).filter((id) => deleted.includes(id))).toEqual([]);
  });

  it('does not count the rows, and returns Per-Page', async () => {
    const { headers } = await api.get('/api/contacts?after_id=0&per_page=3');
    expect([headers.get('per-page'), headers.get('total')]).toEqual(['3', null]);
  });

  it('has no link on the last page, even if that page is full, and after it', async () => {
    const last = (await api.listIds('/api/contacts')).at(-2)!;
    const full = await api.get(`/api/contacts?after_id=${last}&per_page=1`);
    expect([full.body.length, full.headers.get('link')]).toEqual([1, null]);
    const past = await api.get(`/api/contacts?after_id=${Number.MAX_SAFE_INTEGER}`);
    expect([past.status, past.body, past.headers.get('link')]).toEqual([200, [], null]);
  });

  it('keeps every other parameter in its links', async () => {
    const { body, headers } = await api.get('/api/contacts?q[metadata][many]=yes&after_id=0&per_page=2');
    expect(headers.get('link')).toBe(
      `<${api.url}/api/contacts?after_id=${body[1].id}&q[metadata][many]=yes&per_page=2>; rel="next"`,
    );
  });

  it('works for filtered and nested lists, previews and results', async () => {
    const groups = await api.createContacts(
      ...Array.from({ length: 9 }, (_, n) => ({ msisdn: `+8551077000${n}`, metadata: { group: n % 3 } })),
    );
    const expected = groups.filter((_, n) => n % 3 === 1);
    const filter = 'q[metadata][group]=1';
    expect(await walk(`/api/contacts?after_id=0&per_page=2&${filter}`)).toEqual(expected);
    const callout = await api.createCallout();
    const population = await api.createPopulation(callout, { contact_filter_params: { metadata: { group: '1' } } });
    const walked = (path: string) => walk(`${path}?after_id=0&per_page=2`);
    expect(await walked(`/api/batch_operations/${population}/preview/contacts`)).toEqual(expected);
    await api.runBatchOperation(population);
    expect(await walked(`/api/batch_operations/${population}/contacts`)).toEqual(expected);
    expect(await walked(`/api/callouts/${callout}/contacts`)).toEqual(expected);
    const nested = `/api/callouts/${callout}/callout_participations`;
    expect(await walked(nested)).toEqual(await api.listIds(nested));
    expect((await api.get('/api/callouts/99999999/contacts?after_id=0')).status).toBe(404);
  });

  it('has Left-Out of a preview only on numbered pages', async () => {
    const population = await api.createPopulation(await api.createCallout());
    const preview = `/api/batch_operations/${population}/preview/contacts`;
    expect((await api.get(preview)).headers.get('left-out')).toBe('0');
    expect((await api.get(`${preview}?after_id=0`)).headers.get('left-out')).toBeNull();
  });
});

describe('after_id', () => {
  it.each(['after_id=', 'after_id=-1', 'after_id=x', 'after_id=1.5', 'after_id[]=1', 'after_id=9007199254740992'])(
    'is refused as %s',
    async (query) => {
      const { status, body } = await api.get(`/api/contacts?${query}`);
      expect([status, body.message]).toEqual([400, 'after_id must be a whole number, 0 or more']);
    },
  );

  it('is refused in combination with page', async () => {
    const { status, body } = await api.get('/api/contacts?after_id=0&page=1');
    expect([status, body.message]).toEqual([400, 'page and after_id exclude each other']);
  });

  it('is refused on a route that is not a list', async () => {
    const [id] = await api.listIds('/api/contacts?q[metadata][group]=1');
    expect((await api.get(`/api/contacts/${id}?after_id=0`)).status).toBe(422);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Body } from './support/api.js';
import { Installation } from './support/installation.js';

const PEOPLE = 500;

let installation: Installation;
let api: Api;

beforeAll(async () => {
  installation = await Installation.create();
  api = (await installation.start()).api;
  await installation.insertContacts(PEOPLE);
});
afterAll(() => installation.remove());

/** Where `Link` leads on to; undefined at the end. It must lead nowhere else. */
function nextOf(headers: Headers): string | undefined {
  const link = headers.get('link');
  if (link === null) return undefined;
  const [, url] = /^<([^>]+)>; rel="next"$/.exec(link) ?? [];
  if (!url) throw new Error(`Not just the next page: ${link}`);
  return url.slice(api.url.length);
}

/** Follows the links from the page at `path` to the end. Answers the ids, in the order in which they came. */
async function walk(path: string, meanwhile = async (_page: Body[]): Promise<void> => {}): Promise<number[]> {
  const ids: number[] = [];
  for (let at: string | undefined = path; at;) {
    const { status, body, headers, text } = await api.get(at);
    if (status !== 200) throw new Error(`${at}: ${text}`);
    ids.push(...body.map(({ id }: Body) => id));
    at = nextOf(headers);
    await meanwhile(body);
  }
  return ids;
}

describe('a walk by after_id', () => {
  it('begins at 0, and passes each row once, in the order of their ids', async () => {
    const ids = await walk('/api/contacts?after_id=0&per_page=7');
    expect(ids).toEqual(await api.listIds('/api/contacts'));
    expect(ids).toHaveLength(PEOPLE);
  });

  it('skips nobody and meets nobody twice while others come and go', async () => {
    const standing = await api.listIds('/api/contacts');
    const gone: number[] = [];
    let came = 0;
    // On each page somebody who was met goes, so that pages by number would skip one; and somebody comes.
    const met = await walk('/api/contacts?after_id=0&per_page=20', async (page) => {
      const [first] = page;
      if (!first || came === 10) return;
      await api.delete(`/api/contacts/${first.id}`);
      gone.push(first.id);
      await api.createContacts({ msisdn: `+8551055${String(++came).padStart(4, '0')}` });
    });
    expect(came).toBe(10);
    expect(new Set(met).size).toBe(met.length);
    expect(met).toEqual(met.toSorted((a, b) => a - b));
    expect(met.filter((id) => standing.includes(id))).toEqual(standing);
    expect(met.length - standing.length).toBe(came);
    expect((await api.listIds('/api/contacts')).filter((id) => gone.includes(id))).toEqual([]);
  });

  it('does not count, and tells the page’s size', async () => {
    const { headers } = await api.get('/api/contacts?after_id=0&per_page=3');
    expect([headers.get('per-page'), headers.get('total')]).toEqual(['3', null]);
  });

  it('ends without a link: also on a page that is just full, and past the end', async () => {
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

  it('goes through filtered and nested lists, previews and results', async () => {
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

  it('leaves a preview’s count of those who are left out to its ordinary pages', async () => {
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

  it('is refused together with a page', async () => {
    const { status, body } = await api.get('/api/contacts?after_id=0&page=1');
    expect([status, body.message]).toEqual([400, 'page and after_id exclude each other']);
  });

  it('is refused where nothing is listed', async () => {
    const [id] = await api.listIds('/api/contacts?q[metadata][group]=1');
    expect((await api.get(`/api/contacts/${id}?after_id=0`)).status).toBe(422);
  });
});

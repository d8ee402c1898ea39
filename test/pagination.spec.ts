import { describe, expect, it } from 'vitest';
import { KeysetPage, NumberedPage, linkHeader } from '../src/api/pagination.js';

const relations = (page: number, total: number) =>
  new NumberedPage([], total, page, 10).links.map(([rel, number]) => `${rel}=${number}`).join(' ');

describe('the links of a page', () => {
  it.each([
    [1, 0, ''],
    [1, 10, ''],
    [1, 11, 'last=2 next=2'],
    [2, 35, 'first=1 prev=1 last=4 next=3'],
    [4, 35, 'first=1 prev=3'],
    [9, 35, 'first=1 prev=4'],
    [3, 0, 'first=1 prev=1'],
  ])('of page %i of %i rows are: %s', (page, total, expected) => {
    expect(relations(page, total)).toBe(expected);
  });
});

describe('a keyset page', () => {
  it('has a next page if there is one row more than fits', () => {
    const found = [{ id: 4 }, { id: 7 }, { id: 9 }];
    const page = new KeysetPage(found, 2);
    expect([page.rows, page.links]).toEqual([[{ id: 4 }, { id: 7 }], [['next', 7]]]);
    expect(new KeysetPage(found, 3)).toMatchObject({ rows: found, links: [], total: undefined });
    expect(new KeysetPage([], 3).links).toEqual([]);
  });
});

describe('linkHeader', () => {
  it('keeps every other parameter, in the form of the contract', () => {
    const page = new NumberedPage([], 30, 2, 10);
    expect(linkHeader(page, 'http://host/api/contacts?per_page=10&page=2&q[metadata][a]=b%20c')).toBe(
      [
        ['first', 1],
        ['prev', 1],
        ['last', 3],
        ['next', 3],
      ]
        .map(([rel, n]) => `<http://host/api/contacts?page=${n}&per_page=10&q[metadata][a]=b%20c>; rel="${rel}"`)
        .join(', '),
    );
  });

  it('escapes angle brackets and quotes in the URL', () => {
    const link = linkHeader(new NumberedPage([], 30, 3, 10), 'http://host/api/contacts?q[msisdn]=>;rel="next"');
    expect(link).not.toContain('"next"');
  });

  it('is absent if there is no other page', () => {
    expect(linkHeader(new NumberedPage([], 3, 1, 10), 'http://host/api/contacts')).toBeUndefined();
  });
});

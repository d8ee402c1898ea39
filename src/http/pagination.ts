/** One page of a list, and how many rows the whole list has. */
export class Page<T = Record<string, unknown>> {
  /** Rows that a preview leaves out at the people's own wish; absent where there is no such wish. */
  leftOut?: number;

  constructor(
    readonly rows: T[],
    readonly total: number,
    readonly page: number,
    readonly perPage: number,
  ) {}

  /** The other pages that there are, by their relation to this one, in the contract's order. */
  get neighbours(): [rel: string, page: number][] {
    const last = Math.max(1, Math.ceil(this.total / this.perPage));
    const backward: [string, number][] = [
      ['first', 1],
      ['prev', Math.min(this.page - 1, last)],
    ];
    const forward: [string, number][] = [
      ['last', last],
      ['next', this.page + 1],
    ];
    return [...(this.page > 1 ? backward : []), ...(this.page < last ? forward : [])];
  }
}

/** The `Link` header (RFC 8288) of a page that was asked for at the absolute `url`; it keeps every other parameter. */
export function linkHeader(page: Page<unknown>, url: string): string | undefined {
  const [path, query = ''] = url.replaceAll(/[^\x21-\x7e]|[<>"]/g, encodeURIComponent).split(/\?(.*)/s, 2);
  const others = query.split('&').filter((part) => part !== '' && !/^page(=|$)/.test(part));
  const links = page.neighbours.map(
    ([rel, number]) => `<${path}?${[`page=${number}`, ...others].join('&')}>; rel="${rel}"`,
  );
  return links.length > 0 ? links.join(', ') : undefined;
}

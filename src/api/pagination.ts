/** A link to another page of a list: its relation to this page, and the value of `parameter` for it. */
type PageLink = [rel: string, value: number];

/** A page of a list, and links to other pages. */
export abstract class Page<T = Record<string, unknown>> {
  /** The number of contacts that a preview leaves out because they opted out. Absent in other lists. */
  leftOut?: number;
  /** The number of rows on all pages. Absent when they are not counted. */
  readonly total?: number;
  /** The query parameter that selects a page. */
  abstract readonly parameter: 'page' | 'after_id';
  /** The other pages that exist: first, prev, last, next. */
  abstract readonly links: PageLink[];

  constructor(
    readonly rows: T[],
    readonly perPage: number,
  ) {}
}

/** A page with a number. */
export class NumberedPage<T = Record<string, unknown>> extends Page<T> {
  readonly parameter = 'page';

  constructor(
    rows: T[],
    override readonly total: number,
    readonly page: number,
    perPage: number,
  ) {
    super(rows, perPage);
  }

  get links(): PageLink[] {
    const last = Math.max(1, Math.ceil(this.total / this.perPage));
    const backward: PageLink[] = [
      ['first', 1],
      ['prev', Math.min(this.page - 1, last)],
    ];
    const forward: PageLink[] = [
      ['last', last],
      ['next', this.page + 1],
    ];
    return [...(this.page > 1 ? backward : []), ...(this.page < last ? forward : [])];
  }
}

/** The rows after an id. No rows are counted or skipped, so the last page takes no longer than the first. */
export class KeysetPage<T extends { id?: unknown } = Record<string, unknown>> extends Page<T> {
  readonly parameter = 'after_id';
  readonly links: PageLink[];

  /** @param found the rows of this page, followed by one more row if there is a next page */
  constructor(found: T[], perPage: number) {
    super(found.slice(0, perPage), perPage);
    this.links = found.length > perPage ? [['next', Number(this.rows.at(-1)!.id)]] : [];
  }
}

/**
 * @param url the absolute URL of the page. Links keep its other parameters.
 * @returns the `Link` header (RFC 8288); undefined when there is no other page
 */
export function linkHeader(page: Page<unknown>, url: string): string | undefined {
  const [path, query = ''] = url.replaceAll(/[^\x21-\x7e]|[<>"]/g, encodeURIComponent).split(/\?(.*)/s, 2);
  const { parameter } = page;
  const others = query.split('&').filter((part) => part !== '' && part.split('=')[0] !== parameter);
  const links = page.links.map(
    ([rel, value]) => `<${path}?${[`${parameter}=${value}`, ...others].join('&')}>; rel="${rel}"`,
  );
  return links.length > 0 ? links.join(', ') : undefined;
}

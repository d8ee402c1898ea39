/** Another page of a list: its relation to this one, and the parameter that asks for it. */
type PageLink = [rel: string, value: number];

/** Some rows of a list, and where the others are. */
export abstract class Page<T = Record<string, unknown>> {
  /** Rows that a preview leaves out at the people's own wish; absent where there is no such wish. */
  leftOut?: number;
  /** Rows of the whole list; absent where they are not counted. */
  readonly total?: number;
  /** The parameter that says which page is meant. */
  abstract readonly parameter: 'page' | 'after_id';
  /** The other pages that there are, in the contract's order. */
  abstract readonly links: PageLink[];

  constructor(
    readonly rows: T[],
    readonly perPage: number,
  ) {}
}

/** A page that is known by its number. */
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

/** The rows that follow an id. Nothing is counted or skipped for it, so the millionth row is as near as the first. */
export class KeysetPage<T extends { id?: unknown } = Record<string, unknown>> extends Page<T> {
  readonly parameter = 'after_id';
  readonly links: PageLink[];

  /** @param found the rows of this page, and one more if there are further ones */
  constructor(found: T[], perPage: number) {
    super(found.slice(0, perPage), perPage);
    this.links = found.length > perPage ? [['next', Number(this.rows.at(-1)!.id)]] : [];
  }
}

/** The `Link` header (RFC 8288) of a page that was asked for at the absolute `url`; it keeps every other parameter. */
export function linkHeader(page: Page<unknown>, url: string): string | undefined {
  const [path, query = ''] = url.replaceAll(/[^\x21-\x7e]|[<>"]/g, encodeURIComponent).split(/\?(.*)/s, 2);
  const { parameter } = page;
  const others = query.split('&').filter((part) => part !== '' && part.split('=')[0] !== parameter);
  const links = page.links.map(
    ([rel, value]) => `<${path}?${[`${parameter}=${value}`, ...others].join('&')}>; rel="${rel}"`,
  );
  return links.length > 0 ? links.join(', ') : undefined;
}

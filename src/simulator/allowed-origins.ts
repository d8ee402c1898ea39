/** The simulator may not fetch a URL. `message` begins with the code that Twilio has for a URL that it cannot fetch. */
export class ForbiddenUrlError extends Error {}

/** What the simulator may fetch: URLs come from whoever asks for a call, and it stands in a network of its own. */
export class AllowedOrigins {
  /**
   * @param own addresses of this program
   * @param others origins; `http://127.0.0.1:*` is any port of that host
   */
  constructor(
    private readonly own: () => Promise<string[]>,
    private readonly others: readonly string[],
  ) {}

  /** @throws ForbiddenUrlError */
  async check({ protocol, hostname, origin, username, password }: URL): Promise<void> {
    if (username || password) throw new ForbiddenUrlError('11200 A URL with a user or password in it is not fetched');
    if (this.others.includes(origin) || this.others.includes(`${protocol}//${hostname}:*`)) return;
    const own = (await this.own()).map((address) => new URL(address).origin);
    if (own.includes(origin)) return;
    // The origin of `data:` and the like is "null".
    const named = origin === 'null' ? protocol : origin;
    throw new ForbiddenUrlError(
      `11200 ${named} is not fetched: it is neither this program nor named in SIMULATOR_ALLOWED_ORIGINS`,
    );
  }
}

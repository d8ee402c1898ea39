/** A URL that the simulator must not request. `message` begins with Twilio's code for a URL that it cannot fetch. */
export class ForbiddenUrlError extends Error {}

/**
 * The origins that the simulator may request. Its URLs come from API clients, and it can reach hosts that they cannot:
 * without this check they could use it to reach those (server-side request forgery).
 */
export class AllowedOrigins {
  /**
   * @param own resolves to the addresses of this program
   * @param others further origins; `http://127.0.0.1:*` allows every port of that host
   */
  constructor(
    private readonly own: () => Promise<string[]>,
    private readonly others: readonly string[],
  ) {}

  /** @throws ForbiddenUrlError if the URL must not be requested */
  async assertAllowed({ protocol, hostname, origin, username, password }: URL): Promise<void> {
    if (username || password) throw new ForbiddenUrlError('11200 A URL with a user or password in it is not fetched');
    if (this.others.includes(origin) || this.others.includes(`${protocol}//${hostname}:*`)) return;
    const own = (await this.own()).map((address) => new URL(address).origin);
    if (own.includes(origin)) return;
    // The origin of `data:` and similar URLs is "null".
    const shown = origin === 'null' ? protocol : origin;
    throw new ForbiddenUrlError(
      `11200 ${shown} is not fetched: it is neither this program nor named in SIMULATOR_ALLOWED_ORIGINS`,
    );
  }
}

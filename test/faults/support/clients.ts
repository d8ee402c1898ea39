import { Client } from 'undici';

/** The last digits of the first contact's number. */
const FIRST_NUMBER = 10_000_000;

let sent = 0;

/** The responses that clients have received. */
export interface LoadResult {
  /** The number of responses by status. */
  statuses: Map<number, number>;
  /** The numbers of the contacts whose creation was confirmed. */
  created: string[];
  /** The number of 503 responses without a valid `Retry-After`. */
  withoutRetryAfter: number;
  /** The requests without a response, and why. */
  failures: string[];
}

/**
 * Runs clients that each hold a connection and send requests without a pause, whatever the responses are. They create
 * contacts, and read contacts and the list of contacts.
 *
 * @param milliseconds how long they send requests (ms)
 * @returns their results, once their last requests have ended
 */
export async function runClients(url: string, clients: number, milliseconds: number): Promise<LoadResult> {
  const until = Date.now() + milliseconds;
  const result: LoadResult = { statuses: new Map(), created: [], withoutRetryAfter: 0, failures: [] };
  const request = async (client: Client, method: 'GET' | 'POST', path: string, body?: object) => {
    try {
      const {
        statusCode,
        headers,
        body: content,
      } = await client.request({
        method,
        path,
        headers: body && { 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
      });
      result.statuses.set(statusCode, (result.statuses.get(statusCode) ?? 0) + 1);
      if (statusCode === 503 && !/^[1-9]\d*$/.test(String(headers['retry-after']))) result.withoutRetryAfter++;
      const text = await content.text();
      return statusCode < 300 ? JSON.parse(text) : undefined;
    } catch (error) {
      result.failures.push(`${method} ${path}: ${(error as Error).message}`);
    }
  };
  const runClient = async (): Promise<void> => {
    const client = new Client(url);
    let id = 1;
    while (Date.now() < until) {
      const msisdn = `+8551${FIRST_NUMBER + sent++}`;
      const created = await request(client, 'POST', '/api/contacts', { msisdn, metadata: { crowd: 'yes' } });
      if (created) {
        id = created.id;
        result.created.push(msisdn);
      }
      await request(client, 'GET', `/api/contacts/${id}`);
      await request(client, 'GET', '/api/contacts');
    }
    await client.close();
  };
  await Promise.all(Array.from({ length: clients }, runClient));
  return result;
}

import { Client } from 'undici';

/** Where the numbers of their contacts begin. */
const FIRST_NUMBER = 10_000_000;

let sent = 0;

/** What clients were answered. */
export interface LoadResult {
  /** How many of each status. */
  statuses: Map<number, number>;
  /** The numbers of the contacts that they were told are made. */
  created: string[];
  /** Refusals that do not say when to come again. */
  withoutRetryAfter: number;
  /** Requests that got no answer, and why. */
  failures: string[];
}

/**
 * Clients that each hold a connection, make contacts, look at them and at the list, and come again at once however they are answered.
 * Answers when they have gone: their last requests are answered, too.
 */
export async function runClients(url: string, clients: number, milliseconds: number): Promise<LoadResult> {
  const until = Date.now() + milliseconds;
  const answers: LoadResult = { statuses: new Map(), created: [], withoutRetryAfter: 0, failures: [] };
  const ask = async (client: Client, method: 'GET' | 'POST', path: string, body?: object) => {
    try {
      const {
        statusCode,
        headers,
        body: answer,
      } = await client.request({
        method,
        path,
        headers: body && { 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
      });
      answers.statuses.set(statusCode, (answers.statuses.get(statusCode) ?? 0) + 1);
      if (statusCode === 503 && !/^[1-9]\d*$/.test(String(headers['retry-after']))) answers.withoutRetryAfter++;
      const text = await answer.text();
      return statusCode < 300 ? JSON.parse(text) : undefined;
    } catch (error) {
      answers.failures.push(`${method} ${path}: ${(error as Error).message}`);
    }
  };
  const come = async (): Promise<void> => {
    const client = new Client(url);
    let id = 1;
    while (Date.now() < until) {
      const msisdn = `+8551${FIRST_NUMBER + sent++}`;
      const made = await ask(client, 'POST', '/api/contacts', { msisdn, metadata: { crowd: 'yes' } });
      if (made) {
        id = made.id;
        answers.created.push(msisdn);
      }
      await ask(client, 'GET', `/api/contacts/${id}`);
      await ask(client, 'GET', '/api/contacts');
    }
    await client.close();
  };
  await Promise.all(Array.from({ length: clients }, come));
  return answers;
}

import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import { type SystemCall, SystemCalls } from './support/system-calls.js';

const SID = 'AC00000000000000000000000000000000';
const CALLS = 5;

/** The system calls by which SQLite flushes its writes to the disk. */
const SYNCS = ['fsync', 'fdatasync'];
const WRITES = ['write', 'writev', 'pwrite64', 'sendto', 'sendmsg'];

const isWalCall = ({ target }: SystemCall): boolean => target.endsWith('-wal');

/** @returns for each request to the provider, the system calls on the WAL from the last write before the request on */
function walCallsBeforeRequests(calls: SystemCall[]): SystemCall[][] {
  const requests = calls.flatMap(({ text }, index) => (text.includes('POST /2010-04-01/Accounts/') ? [index] : []));
  return requests.map((request) => {
    const earlier = calls.slice(0, request).filter(isWalCall);
    return earlier.slice(earlier.findLastIndex(({ name }) => WRITES.includes(name)));
  });
}

describe('a power cut right after a request to the provider', () => {
  let provider: Server;
  let installation: Installation;

  beforeAll(async () => {
    // The provider accepts calls and sends no webhooks, so the claim is the last write before each request.
    let accepted = 0;
    provider = createServer((request, response) => {
      request.resume();
      response.writeHead(201, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ sid: `CA${++accepted}`, status: 'queued', direction: 'outbound-api' }));
    }).listen(0, '127.0.0.1');
    await once(provider, 'listening');
    installation = await Installation.createEmbedded();
  });
  afterAll(async () => {
    await installation.remove();
    provider.closeAllConnections();
    provider.close();
  });

  it('cannot undo the claim of the call, because SQLite flushes it before the request is sent', async () => {
    const program = await installation.start({
      PLATFORM_PROVIDER: 'somleng',
      SOMLENG_ACCOUNT_SID: SID,
      SOMLENG_AUTH_TOKEN: 'token',
      SOMLENG_CLIENT_REST_API_BASE_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
      PUBLIC_URL: 'https://scfm.example.org',
      CALLS_PER_SECOND: '2',
    });
    const { api } = program;
    await installation.insertContacts(CALLS);
    const callout = await api.createCallout();
    await api.runBatchOperation(await api.createPopulation(callout));
    await api.post(`/api/callouts/${callout}/callout_events`, 'event=start');
    const run = async (type: string, parameters: object): Promise<void> => {
      const { body } = await api.post(`/api/callouts/${callout}/batch_operations`, { type, parameters });
      await api.runBatchOperation(body.id);
    };
    await run('BatchOperation::PhoneCallCreate', { remote_request_params: { from: '2442', twiml: '<Response/>' } });
    const trace = await SystemCalls.follow(program.pid, [...WRITES, ...SYNCS]);
    await run('BatchOperation::PhoneCallQueue', {});
    await eventually(async () => {
      const [{ count }] = (await installation.query<{ count: number }>(
        'SELECT count(remote_call_id) AS count FROM phone_calls',
      )) as [{ count: number }];
      return Number(count) === CALLS;
    });
    const sequences = walCallsBeforeRequests(await trace.end());
    expect(sequences).toHaveLength(CALLS);
    for (const [write, ...later] of sequences) {
      expect(WRITES).toContain(write!.name);
      const synced = later.filter(({ name, hasReturned }) => SYNCS.includes(name) && hasReturned);
      expect(synced.length).toBeGreaterThan(0);
    }
  });
});

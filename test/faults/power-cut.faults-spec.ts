import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import { type SystemCall, SystemCalls } from './support/system-calls.js';

const SID = 'AC00000000000000000000000000000000';
const CALLS = 5;

/** By which SQLite makes sure that what it wrote is on the disk. */
const SYNCS = ['fsync', 'fdatasync'];
const WRITES = ['write', 'writev', 'pwrite64', 'sendto', 'sendmsg'];

const isOfLog = ({ target }: SystemCall): boolean => target.endsWith('-wal');

/** For each request to the provider, the calls on SQLite's log from the last write before it on. */
function beforeEachRequest(calls: SystemCall[]): SystemCall[][] {
  const requests = calls.flatMap(({ text }, index) => (text.includes('POST /2010-04-01/Accounts/') ? [index] : []));
  return requests.map((request) => {
    const earlier = calls.slice(0, request).filter(isOfLog);
    return earlier.slice(earlier.findLastIndex(({ name }) => WRITES.includes(name)));
  });
}

describe('a power cut right after a request to the provider', () => {
  let provider: Server;
  let installation: Installation;

  beforeAll(async () => {
    // Takes every call, and never calls back: nothing but the claim of the next call is written before its request.
    let taken = 0;
    provider = createServer((request, response) => {
      request.resume();
      response.writeHead(201, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ sid: `CA${++taken}`, status: 'queued', direction: 'outbound-api' }));
    }).listen(0, '127.0.0.1');
    await once(provider, 'listening');
    installation = await Installation.createEmbedded();
  });
  afterAll(async () => {
    await installation.remove();
    provider.closeAllConnections();
    provider.close();
  });

  it('cannot undo the claim of the call on SQLite: it is on the disk before the request is sent', async () => {
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
    const followed = await SystemCalls.follow(program.pid, [...WRITES, ...SYNCS]);
    await run('BatchOperation::PhoneCallQueue', {});
    await eventually(async () => {
      const [{ count }] = (await installation.query<{ count: number }>(
        'SELECT count(remote_call_id) AS count FROM phone_calls',
      )) as [{ count: number }];
      return Number(count) === CALLS;
    });
    const befores = beforeEachRequest(await followed.end());
    expect(befores).toHaveLength(CALLS);
    for (const [write, ...since] of befores) {
      expect(WRITES).toContain(write!.name);
      const synced = since.filter(({ name, hasReturned }) => SYNCS.includes(name) && hasReturned);
      expect(synced.length).toBeGreaterThan(0);
    }
  });
});

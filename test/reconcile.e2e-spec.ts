import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DateTime } from 'luxon';
import type { Api, Body } from './support/api.js';
import { sendCalloutEvent } from './support/campaigns.js';
import { Installation } from './support/installation.js';
import { PROVIDER_SID, dialingEnvironment } from './support/provider-environment.js';
import { type ScriptResult, runScript } from './support/run-script.js';
import { StubServer } from './support/stub-server.js';

const CALLS = `/simulator/2010-04-01/Accounts/${PROVIDER_SID}/Calls.json`;

/** When the backup was made. `TIME` is the argument of the operator. */
const BACKUP = DateTime.now().minus({ hours: 3 }).set({ millisecond: 0 });
const TIME = BACKUP.setZone('Asia/Phnom_Penh').toISO({ suppressMilliseconds: true })!;

let installation: Installation;
let api: Api;
let provider: StubServer;

/** A call in the provider's list, created this many minutes after the backup. */
const listed = (sid: string, to: string, minutes: number, more: object = {}) => ({
  sid,
  to,
  from: '2442',
  direction: 'outbound-api',
  status: 'completed',
  date_created: BACKUP.plus({ minutes }).toRFC2822(),
  ...more,
});

const page = (calls: object[], next: string | null = null) => ({
  body: JSON.stringify({ calls, next_page_uri: next && next.replace('/simulator', '') }),
});

const reconcile = (time = TIME, environment: Record<string, string> = {}): Promise<ScriptResult> =>
  runScript('reconcile.js', [time], {
    ...installation.environment,
    ...dialingEnvironment(provider.url),
    PUBLIC_URL: 'http://127.0.0.1:1',
    ...environment,
  });

/**
 * Creates a call to a person in a callout, and queues it if required.
 * @returns its id
 */
async function call(callout: number, msisdn: string, isQueued = true): Promise<number> {
  const { body: known } = await api.get(`/api/contacts?q[msisdn]=${encodeURIComponent(msisdn)}`);
  const contact_id = known[0]?.id ?? (await api.createContacts({ msisdn }))[0];
  const { body: joined } = await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id });
  const path = `/api/callout_participations/${joined.id}/phone_calls`;
  const { body } = await api.post(path, { remote_request_params: { from: '2442' } });
  if (isQueued) await api.post(`/api/phone_calls/${body.id}/phone_call_events`, 'event=queue');
  return body.id;
}

const statusOf = async (id: number): Promise<string> => (await api.get(`/api/phone_calls/${id}`)).body.status;

const second = `${CALLS}?PageSize=1000&Page=1&PageToken=PA1`;
const third = `${CALLS}?PageSize=1000&Page=2&PageToken=PA2`;

beforeAll(async () => {
  provider = await StubServer.start({
    [`${CALLS}?PageSize=1000`]: page(
      [
        listed('CA1', '+85512000001', 60),
        listed('CA2', '+85512000002', 50, { from: '+85523999999' }),
        listed('CA3', '+85512000003', 40, { direction: 'inbound' }),
        listed('CA4', '+85512000004', 30),
      ],
      second,
    ),
    [second]: page([listed('CA5', '+85512000005', 20), listed('CA6', '+85512000006', -60)], third),
    [third]: page([listed('CA7', '+85512000007', -61)], `${CALLS}?PageSize=1000&Page=3&PageToken=PA3`),
  });
  installation = await Installation.create();
  api = (await installation.start({ SCFM_ROLE: 'web' })).api;
});
afterAll(async () => {
  await installation.remove();
  await provider.stop();
});

describe('npm run reconcile', () => {
  it('marks unknown calls that were placed since the backup, and reads no further pages', async () => {
    const callout = await api.createCallout();
    await sendCalloutEvent(api, callout, 'pause');
    const calls = new Map<string, number>();
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) calls.set(`CA${n}`, await call(callout, `+8551200000${n}`, n !== 5));
    const twice = await api.createCallout();
    await sendCalloutEvent(api, twice, 'pause');
    const sibling = await call(twice, '+85512000001');
    await installation.query(
      `UPDATE phone_calls SET status = 'completed', remote_call_id = 'CA4' WHERE id = ${calls.get('CA4')}`,
    );
    const { code, output, error } = await reconcile();
    expect([code, error]).toEqual([0, '']);
    expect(output).toContain('The provider lists 3 calls since about');
    expect(output).toContain('3 phone calls are uncertain now');
    const statuses = await Promise.all([...calls.values()].map(statusOf));
    expect(statuses).toEqual(['uncertain', 'queued', 'queued', 'completed', 'uncertain', 'queued', 'queued', 'queued']);
    // It is unknown which of the two was placed.
    expect(await statusOf(sibling)).toBe('uncertain');
    expect(provider.requestedPaths).toEqual([`${CALLS}?PageSize=1000`, second, third]);
    const [row] = await installation.query<Body>(`SELECT dialled_at FROM phone_calls WHERE id = ${calls.get('CA1')}`);
    expect(new Date(row.dialled_at).getTime()).toBe(BACKUP.plus({ minutes: 60 }).toMillis());
  });

  it('fails while calls may be dialed, even of callouts that were never started', async () => {
    const callout = await api.createCallout();
    const id = await call(callout, '+85512000005');
    const { code, error } = await reconcile();
    expect([code, error]).toEqual([1, `Calls may be dialed at any moment: pause these callouts first: ${callout}.\n`]);
    expect(await statusOf(id)).toBe('queued');
    await sendCalloutEvent(api, callout, 'pause');
  });

  it('changes nothing when the provider is unreachable', async () => {
    const away = { SOMLENG_CLIENT_REST_API_BASE_URL: 'http://127.0.0.1:1' };
    const { code, error } = await reconcile(TIME, away);
    expect([code, error]).toEqual([1, expect.stringMatching(/^The provider cannot be asked: .*ECONNREFUSED.*\n$/)]);
  });

  it.each(['', 'yesterday', '2026-11-25T10:00:00', '2999-01-01T00:00:00Z'])('rejects "%s" as a time', async (time) => {
    const { code, error } = await reconcile(time);
    expect([code, error]).toEqual([
      1,
      'Say when the backup was made, in the past: npm run reconcile -- 2026-11-25T10:00:00Z\n',
    ]);
  });

  it('rejects the built-in simulator', async () => {
    const { code, error } = await reconcile(TIME, { PLATFORM_PROVIDER: 'simulator' });
    expect([code, error]).toEqual([1, expect.stringMatching(/^The simulator in the box forgets its calls.*\n$/)]);
  });
});

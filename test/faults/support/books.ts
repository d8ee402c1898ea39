import { expect } from 'vitest';
import { phoneCallStatuses } from '../../../src/phone-calls/phone-call.machine.js';
import { BOOKKEEPING_VIOLATIONS } from '../../support/bookkeeping.js';
import { RESOURCES } from '../../support/resources.js';
import { retryUntilAccepted, waitUntil } from './retry.js';
import type { Accepted } from './ledger.js';
import { logStep } from './log-step.js';
import type { Testbed } from './testbed.js';

const FINAL_PROVIDER_STATUSES = ['completed', 'busy', 'no-answer', 'failed', 'canceled'];
const FINAL_STATUSES = ['completed', 'busy', 'not_answered', 'failed', 'canceled', 'errored', 'created'];

/** Rows that still need work. */
const unfinished: Record<string, string> = {
  batch_operations: `SELECT id, status FROM batch_operations WHERE status IN ('queued', 'running')`,
  phone_calls: `SELECT id, status, remote_status, check_at, checks, leased_until, lease_token, updated_at FROM phone_calls
    WHERE status NOT IN ('${FINAL_STATUSES.join("', '")}')`,
};

/** What must not be, whatever happened. Each statement answers the rows that are wrong. */
const invariantQueries = (callouts: number[]): Record<string, string> => ({
  ...unfinished,
  'a call whose newest event has another status': `
    SELECT phone_calls.id, status FROM phone_calls WHERE status <> 'created' AND status IS DISTINCT FROM (
      SELECT substr(type, length('phone_call.') + 1) FROM events
      WHERE resource_type = 'phone_call' AND resource_id = phone_calls.id ORDER BY id DESC LIMIT 1)`,
  'a contact that matched and is not in the callout': `
    SELECT callouts.id AS callout_id, contacts.id FROM callouts CROSS JOIN contacts
    WHERE callouts.id IN (${callouts.join()}) AND CAST(contacts.metadata AS text) LIKE '%"many"%'
      AND contacts.metadata ->> 'do_not_call' IS NULL AND NOT EXISTS (
      SELECT 1 FROM callout_participations AS present
      WHERE present.callout_id = callouts.id AND present.contact_id = contacts.id)`,
  'a person who is in a callout twice': `
    SELECT callout_id, msisdn FROM callout_participations GROUP BY callout_id, msisdn HAVING count(*) > 1`,
  'a participation that has not just one call': `
    SELECT participations.id, count(calls.id) AS calls FROM callout_participations AS participations
    LEFT JOIN phone_calls AS calls ON calls.callout_participation_id = participations.id
    WHERE participations.callout_id IN (${callouts.join()}) GROUP BY participations.id HAVING count(calls.id) <> 1`,
  'a call that was never queued': `
    SELECT id, status FROM phone_calls WHERE status = 'created' OR queue_batch_operation_id IS NULL`,
  'a call that ended without having begun': `
    SELECT id, status FROM phone_calls WHERE remote_call_id IS NULL AND status NOT IN ('canceled', 'errored')`,
  'a call that was neither rung nor said why': `
    SELECT id, status FROM phone_calls WHERE status = 'errored' AND remote_error_message IS NULL`,
  'a call whose columns do not fit its status': BOOKKEEPING_VIOLATIONS,
  'an event of another call': `
    SELECT events.id FROM remote_phone_call_events AS events JOIN phone_calls ON phone_calls.id = events.phone_call_id
    WHERE phone_calls.remote_call_id IS NULL OR events.remote_call_id <> phone_calls.remote_call_id`,
  'a batch operation whose progress is not the rows it made': `
    SELECT id, type, processed, total, rows_made FROM (
      SELECT batch_operations.*, CASE type
        WHEN 'BatchOperation::CalloutPopulation' THEN
          (SELECT count(*) FROM callout_participations WHERE callout_population_id = batch_operations.id)
        WHEN 'BatchOperation::PhoneCallCreate' THEN
          (SELECT count(*) FROM phone_calls WHERE create_batch_operation_id = batch_operations.id)
        ELSE (SELECT count(*) FROM phone_calls WHERE queue_batch_operation_id = batch_operations.id)
      END AS rows_made FROM batch_operations WHERE status <> 'preview'
    ) AS shown WHERE processed <> rows_made OR total <> rows_made`,
});

/** Nobody changes a contact of the campaigns after the opt-out: its time is that of the last change. */
const optOutQueries = {
  'a dial that was claimed after its person opted out': `
    SELECT phone_calls.id, dialled_at, contacts.updated_at FROM phone_calls
    JOIN contacts ON contacts.id = phone_calls.contact_id
    WHERE contacts.metadata ->> 'do_not_call' = 'yes' AND phone_calls.dialled_at > contacts.updated_at`,
};

/** Waits until nothing needs work any more, here and at the provider. @throws Error that says what still does */
export async function waitUntilIdle(testbed: Testbed): Promise<void> {
  let restless: unknown[] = [];
  try {
    await waitUntil(async () => {
      restless = await findUnfinishedWork(testbed).catch((error: Error) => [error.message]);
      return restless.length === 0;
    });
  } catch (error) {
    throw new Error(`Not quiet: ${JSON.stringify(restless)}`, { cause: error });
  }
  logStep('all is quiet');
}

/** Some of what still needs work. */
async function findUnfinishedWork(testbed: Testbed): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const statement of Object.values(unfinished)) {
    found.push(...(await testbed.installation.query(`${statement} LIMIT 3`)));
  }
  const { by_status: byStatus } = await testbed.statistics();
  return [...found, ...Object.keys(byStatus).filter((status) => !FINAL_PROVIDER_STATUSES.includes(status))];
}

/** The books: checked in the database, against the provider's own list, and against what people are shown and were told. */
export async function expectBooksToBalance(testbed: Testbed, accepted?: Accepted): Promise<void> {
  const found: Record<string, unknown[]> = {
    ...(await findViolations(testbed)),
    ...(await compareWithProvider(testbed)),
    ...(await checkTotals(testbed)),
    ...(accepted && (await findLostRecords(testbed, accepted))),
    'a process that ended by itself': testbed.instances.flatMap((place) => {
      place.recordCrash();
      return place.crashes;
    }),
  };
  const some = Object.entries(found).flatMap(([what, rows]) =>
    rows.length > 0 ? [[what, rows.slice(0, 5), rows.length]] : [],
  );
  expect(some).toEqual([]);
}

async function findViolations({ installation, campaigns, hasClockMoved }: Testbed): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  const statements = {
    ...invariantQueries(campaigns.map(({ callout }) => callout)),
    ...(!hasClockMoved && optOutQueries),
  };
  for (const [what, statement] of Object.entries(statements)) found[what] = await installation.query(statement);
  return found;
}

/** Each ring at the provider is one call of ours, and the other way round; and both say the same of it. */
async function compareWithProvider(testbed: Testbed): Promise<Record<string, unknown[]>> {
  const rings = await testbed.providerCalls();
  const calls = await testbed.installation.query<{ sid: string; msisdn: string; remote_status: string }>(
    `SELECT remote_call_id AS sid, msisdn, remote_status FROM phone_calls WHERE remote_call_id IS NOT NULL`,
  );
  const strays = await testbed.installation.query<{ msisdn: string }>(
    `SELECT id, msisdn, status, dialled_at, updated_at, remote_error_message, checks FROM phone_calls
      WHERE remote_call_id IS NULL AND dialled_at IS NOT NULL`,
  );
  const ours = new Map(calls.map((call) => [call.sid, call]));
  const theirs = new Set(rings.map(({ sid }) => sid));
  const { callbacks_sent: heard, callbacks_failed: unheard } = await testbed.statistics();
  const stored = await testbed.count(
    `SELECT count(*) AS count FROM remote_phone_call_events WHERE CAST(details AS text) LIKE '%call-progress-events%'`,
  );
  return {
    'a ring that is no call of ours': rings
      .filter(({ sid }) => !ours.has(sid))
      .map((ring) => ({ ring, perhaps: strays.filter(({ msisdn }) => msisdn === ring.to) })),
    'a call of ours that never rang': calls.filter(({ sid }) => !theirs.has(sid)),
    'a call of which the provider says something else': rings.flatMap((ring) => {
      const call = ours.get(ring.sid);
      return call && (call.msisdn !== ring.to || call.remote_status !== ring.status) ? [{ ring, call }] : [];
    }),
    'callbacks that were accepted and are not there':
      !testbed.duplicatesWebhooks && stored < heard ? [{ heard, unheard, stored }] : [],
  };
}

/** What people are shown adds up: the `Total` of each list is the count of its rows, and its parts are the whole. */
async function checkTotals(testbed: Testbed): Promise<Record<string, unknown[]>> {
  const shown = async (path: string): Promise<number> => {
    const { headers } = await retryUntilAccepted(() =>
      testbed.api.get(`${path}${path.includes('?') ? '&' : '?'}per_page=1`),
    );
    return Number(headers.get('total'));
  };
  const found: unknown[] = [];
  for (const table of RESOURCES) {
    const counted = await testbed.count(`SELECT count(*) AS count FROM ${table}`);
    const total = await shown(`/api/${table}`);
    if (total !== counted) found.push({ table, total, counted });
  }
  const byStatus = await Promise.all(phoneCallStatuses.map((status) => shown(`/api/phone_calls?q[status]=${status}`)));
  const sum = byStatus.reduce((total, part) => total + part, 0);
  const whole = await shown('/api/phone_calls');
  return {
    'a total that is not the count': found,
    'parts that are not the whole': sum === whole ? [] : [{ sum, whole }],
  };
}

/** What the client was told is done, and is not. */
async function findLostRecords(
  { installation }: Testbed,
  { contacts, callouts, optOuts }: Accepted,
): Promise<Record<string, unknown[]>> {
  const left = await installation.query<{ id: number }>(
    `SELECT id FROM contacts WHERE metadata ->> 'do_not_call' = 'yes'`,
  );
  const optedOut = new Set(left.map(({ id }) => Number(id)));
  const kept = await installation.query<{ id: number; msisdn: string; metadata: string }>(
    `SELECT id, msisdn, CAST(metadata AS text) AS metadata FROM contacts WHERE CAST(metadata AS text) LIKE '%ledger%'`,
  );
  const contactsHere = new Map(kept.map((contact) => [Number(contact.id), contact]));
  const standing = await installation.query<{ id: number; status: string }>('SELECT id, status FROM callouts');
  const statuses = new Map(standing.map(({ id, status }) => [Number(id), status]));
  return {
    'a contact that was accepted and is not there': contacts.filter(({ id, msisdn, renamed }) => {
      const contact = contactsHere.get(id);
      return contact?.msisdn !== msisdn || (renamed && !contact.metadata.includes('renamed'));
    }),
    'an opt-out that was accepted and is not there': optOuts.filter((id) => !optedOut.has(id)),
    'a callout that was accepted and is not there': callouts.filter(
      ({ id, started }) => !statuses.has(id) || (started && statuses.get(id) !== 'running'),
    ),
  };
}

import { expect } from 'vitest';
import { phoneCallStatuses } from '../../../src/phone-calls/phone-call.machine.js';
import { BOOKKEEPING_VIOLATIONS } from '../../support/bookkeeping.js';
import { findWrongCoverage } from '../../support/coverage.js';
import { findEarlyAttempts, findWrongOutcomes } from '../../support/outcomes.js';
import { RESOURCES } from '../../support/resources.js';
import { unfinishedWork } from './idle.js';
import { retryUntilAccepted } from './retry.js';
import type { Accepted } from './ledger.js';
import type { Testbed } from './testbed.js';

/** The ids as SQL, for a condition that is also valid without any. */
const listOf = (ids: number[]): string => [0, ...ids].join();

/**
 * The invariants that hold after any fault. Each query selects the rows that break one, and the key describes them.
 *
 * @param batchMade the callouts whose calls batch operations made
 * @param selfRunning the callouts with a dial plan, which completed themselves
 */
const invariantQueries = (batchMade: number[], selfRunning: number[]): Record<string, string> => ({
  ...unfinishedWork,
  'a call whose newest event has another status': `
    SELECT phone_calls.id, status FROM phone_calls WHERE status <> 'created' AND status IS DISTINCT FROM (
      SELECT substr(type, length('phone_call.') + 1) FROM events
      WHERE resource_type = 'phone_call' AND resource_id = phone_calls.id ORDER BY id DESC LIMIT 1)`,
  'a contact that matched but is not in the callout': `
    SELECT callouts.id AS callout_id, contacts.id FROM callouts CROSS JOIN contacts
    WHERE callouts.id IN (${listOf([...batchMade, ...selfRunning])}) AND CAST(contacts.metadata AS text) LIKE '%"many"%'
      AND contacts.metadata ->> 'do_not_call' IS NULL AND NOT EXISTS (
      SELECT 1 FROM callout_participations AS present
      WHERE present.callout_id = callouts.id AND present.contact_id = contacts.id)`,
  'a person who is in a callout twice': `
    SELECT callout_id, msisdn FROM callout_participations GROUP BY callout_id, msisdn HAVING count(*) > 1`,
  'a participation that does not have exactly one call': `
    SELECT participations.id, count(calls.id) AS calls FROM callout_participations AS participations
    LEFT JOIN phone_calls AS calls ON calls.callout_participation_id = participations.id
    WHERE participations.callout_id IN (${listOf(batchMade)}) GROUP BY participations.id HAVING count(calls.id) <> 1`,
  'two attempts with one number': `
    SELECT callout_participation_id, attempt FROM phone_calls WHERE attempt IS NOT NULL
    GROUP BY callout_participation_id, attempt HAVING count(*) > 1`,
  'attempts that are not numbered from 1 on': `
    SELECT callout_participation_id, max(attempt) AS last, count(*) AS attempts FROM phone_calls
    WHERE attempt IS NOT NULL GROUP BY callout_participation_id HAVING max(attempt) <> count(*) OR min(attempt) <> 1`,
  'a callout that did not complete itself': `
    SELECT id, status, held_because FROM callouts WHERE id IN (${listOf(selfRunning)}) AND status <> 'completed'`,
  'a person whom a completed callout forgot': `
    SELECT id, callout_id, outcome, attempts, waiting_for, next_call_at FROM callout_participations
    WHERE callout_id IN (${listOf(selfRunning)}) AND outcome IN ('waiting', 'calling', 'retrying', 'uncertain')`,
  'a person whom nobody called or asked to be left alone': `
    SELECT id, callout_id, outcome FROM callout_participations
    WHERE callout_id IN (${listOf(selfRunning)}) AND outcome <> 'opted_out' AND NOT EXISTS (
      SELECT 1 FROM phone_calls WHERE callout_participation_id = callout_participations.id)`,
  'a call that was never queued': `
    SELECT id, status FROM phone_calls WHERE status = 'created' OR queue_batch_operation_id IS NULL AND attempt IS NULL`,
  'a call that ended but was never placed': `
    SELECT id, status FROM phone_calls WHERE remote_call_id IS NULL AND status NOT IN ('canceled', 'errored')`,
  'an errored call without an error message': `
    SELECT id, status FROM phone_calls WHERE status = 'errored' AND remote_error_message IS NULL`,
  'a call whose columns contradict its status': BOOKKEEPING_VIOLATIONS,
  'a webhook that is stored with another call': `
    SELECT events.id FROM remote_phone_call_events AS events JOIN phone_calls ON phone_calls.id = events.phone_call_id
    WHERE phone_calls.remote_call_id IS NULL OR events.remote_call_id <> phone_calls.remote_call_id`,
  'a batch operation whose progress differs from its rows': `
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

/** `updated_at` is the time of the opt-out, since nothing changes a campaign's contacts after it. */
const optOutQueries = {
  'a call that was claimed after its contact had opted out': `
    SELECT phone_calls.id, dialled_at, contacts.updated_at FROM phone_calls
    JOIN contacts ON contacts.id = phone_calls.contact_id
    WHERE contacts.metadata ->> 'do_not_call' = 'yes' AND phone_calls.dialled_at > contacts.updated_at`,
};

/**
 * Asserts that nothing was lost, repeated or invented. Checks the invariants of the database, the provider's list of
 * calls, the totals of the API's lists, the records that the API has accepted, and crashes of the program.
 *
 * @param accepted the records that a ledger has seen accepted
 */
export async function expectBooksToBalance(testbed: Testbed, accepted?: Accepted): Promise<void> {
  const found: Record<string, unknown[]> = {
    ...(await findViolations(testbed)),
    ...(await compareWithProvider(testbed)),
    ...(await checkTotals(testbed)),
    ...(accepted && (await findLostRecords(testbed, accepted))),
    ...(!testbed.hasClockMoved && {
      'an attempt that its plan does not have, or has later': await findEarlyAttempts(testbed.installation),
    }),
    'a participation whose outcome its calls contradict': await findWrongOutcomes(testbed.installation),
    'a callout whose coverage does not add up': await findWrongCoverage(testbed.installation, (path) =>
      retryUntilAccepted(() => testbed.api.get(path)),
    ),
    'a process that crashed': testbed.instances.flatMap((instance) => {
      instance.recordCrash();
      return instance.crashes;
    }),
  };
  const violations = Object.entries(found).flatMap(([what, rows]) =>
    rows.length > 0 ? [[what, rows.slice(0, 5), rows.length]] : [],
  );
  expect(violations).toEqual([]);
}

async function findViolations({
  installation,
  campaigns,
  selfRunning,
  hasClockMoved,
}: Testbed): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  const statements = {
    ...invariantQueries(
      campaigns.map(({ callout }) => callout),
      selfRunning.map(({ id }) => id),
    ),
    ...(!hasClockMoved && optOutQueries),
  };
  for (const [what, statement] of Object.entries(statements)) found[what] = await installation.query(statement);
  return found;
}

/** Compares the calls with the provider's list: the same calls, with the same numbers and statuses. */
async function compareWithProvider(testbed: Testbed): Promise<Record<string, unknown[]>> {
  const remoteCalls = await testbed.providerCalls();
  const calls = await testbed.installation.query<{ sid: string; msisdn: string; remote_status: string }>(
    `SELECT remote_call_id AS sid, msisdn, remote_status FROM phone_calls WHERE remote_call_id IS NOT NULL`,
  );
  const dialedWithoutId = await testbed.installation.query<{ msisdn: string }>(
    `SELECT id, msisdn, status, dialled_at, updated_at, remote_error_message, checks FROM phone_calls
      WHERE remote_call_id IS NULL AND dialled_at IS NOT NULL`,
  );
  const callsBySid = new Map(calls.map((call) => [call.sid, call]));
  const remoteSids = new Set(remoteCalls.map(({ sid }) => sid));
  const { callbacks_sent: accepted, callbacks_failed: failed } = await testbed.statistics();
  const stored = await testbed.count(
    `SELECT count(*) AS count FROM remote_phone_call_events WHERE CAST(details AS text) LIKE '%call-progress-events%'`,
  );
  return {
    'a call of the provider that is not in the database': remoteCalls
      .filter(({ sid }) => !callsBySid.has(sid))
      .map((remote) => ({ remote, candidates: dialedWithoutId.filter(({ msisdn }) => msisdn === remote.to) })),
    'a call that the provider does not know': calls.filter(({ sid }) => !remoteSids.has(sid)),
    'a call that differs from that of the provider': remoteCalls.flatMap((remote) => {
      const call = callsBySid.get(remote.sid);
      return call && (call.msisdn !== remote.to || call.remote_status !== remote.status) ? [{ remote, call }] : [];
    }),
    'webhooks that were accepted but are not stored':
      !testbed.duplicatesWebhooks && stored < accepted ? [{ accepted, failed, stored }] : [],
  };
}

/** Checks that the `Total` of each list is the number of rows, and that the totals by status add up. */
async function checkTotals(testbed: Testbed): Promise<Record<string, unknown[]>> {
  const readTotal = async (path: string): Promise<number> => {
    const { headers } = await retryUntilAccepted(() =>
      testbed.api.get(`${path}${path.includes('?') ? '&' : '?'}per_page=1`),
    );
    return Number(headers.get('total'));
  };
  const found: unknown[] = [];
  for (const table of RESOURCES) {
    const counted = await testbed.count(`SELECT count(*) AS count FROM ${table}`);
    const total = await readTotal(`/api/${table}`);
    if (total !== counted) found.push({ table, total, counted });
  }
  const byStatus = await Promise.all(
    phoneCallStatuses.map((status) => readTotal(`/api/phone_calls?q[status]=${status}`)),
  );
  const sum = byStatus.reduce((total, part) => total + part, 0);
  const whole = await readTotal('/api/phone_calls');
  return {
    'a total that differs from the number of rows': found,
    'totals by status that do not add up': sum === whole ? [] : [{ sum, whole }],
  };
}

/** @returns the records that the API accepted from the ledger but that are missing or outdated */
async function findLostRecords(
  { installation }: Testbed,
  { contacts, callouts, optOuts }: Accepted,
): Promise<Record<string, unknown[]>> {
  const optedOutRows = await installation.query<{ id: number }>(
    `SELECT id FROM contacts WHERE metadata ->> 'do_not_call' = 'yes'`,
  );
  const optedOut = new Set(optedOutRows.map(({ id }) => Number(id)));
  const contactRows = await installation.query<{ id: number; msisdn: string; metadata: string }>(
    `SELECT id, msisdn, CAST(metadata AS text) AS metadata FROM contacts WHERE CAST(metadata AS text) LIKE '%ledger%'`,
  );
  const contactsById = new Map(contactRows.map((contact) => [Number(contact.id), contact]));
  const calloutRows = await installation.query<{ id: number; status: string }>('SELECT id, status FROM callouts');
  const statuses = new Map(calloutRows.map(({ id, status }) => [Number(id), status]));
  return {
    'a contact that was accepted but is missing or outdated': contacts.filter(({ id, msisdn, renamed }) => {
      const contact = contactsById.get(id);
      return contact?.msisdn !== msisdn || (renamed && !contact.metadata.includes('renamed'));
    }),
    'an opt-out that was accepted but is missing': optOuts.filter((id) => !optedOut.has(id)),
    'a callout that was accepted but is missing or was not started': callouts.filter(
      ({ id, started }) => !statuses.has(id) || (started && statuses.get(id) !== 'running'),
    ),
  };
}

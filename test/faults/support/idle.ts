import { logStep } from './log-step.js';
import { waitUntil } from './retry.js';
import type { Testbed } from './testbed.js';

const FINAL_PROVIDER_STATUSES = ['completed', 'busy', 'no-answer', 'failed', 'canceled'];
const FINAL_STATUSES = ['completed', 'busy', 'not_answered', 'failed', 'canceled', 'errored', 'created'];

/** By table, a query of the rows that still need work. */
export const unfinishedWork: Record<string, string> = {
  batch_operations: `SELECT id, status FROM batch_operations WHERE status IN ('queued', 'running')`,
  phone_calls: `SELECT id, status, remote_status, check_at, checks, leased_until, lease_token, updated_at FROM phone_calls
    WHERE status NOT IN ('${FINAL_STATUSES.join("', '")}')`,
  callouts: `SELECT id, status, outcomes_cursor FROM callouts
    WHERE outcomes_cursor IS NOT NULL OR dial_plan IS NOT NULL AND status IN ('scheduled', 'running')`,
};

/**
 * Waits until neither the program nor the provider has unfinished work.
 *
 * @throws Error that lists some of the unfinished work when the time is up
 */
export async function waitUntilIdle(testbed: Testbed): Promise<void> {
  let unfinished: unknown[] = [];
  try {
    await waitUntil(async () => {
      unfinished = await findUnfinishedWork(testbed).catch((error: Error) => [error.message]);
      return unfinished.length === 0;
    });
  } catch (error) {
    throw new Error(`Still not idle: ${JSON.stringify(unfinished)}`, { cause: error });
  }
  logStep('the testbed is idle');
}

/** @returns up to three rows of each table, and the provider's statuses that are not final */
async function findUnfinishedWork(testbed: Testbed): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const statement of Object.values(unfinishedWork)) {
    found.push(...(await testbed.installation.query(`${statement} LIMIT 3`)));
  }
  const { by_status: byStatus } = await testbed.statistics();
  return [...found, ...Object.keys(byStatus).filter((status) => !FINAL_PROVIDER_STATUSES.includes(status))];
}

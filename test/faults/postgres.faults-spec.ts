import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unprivilegedUser } from '../../scripts/servers.mjs';
import { eventually } from '../support/eventually.js';
import { expectBooksToBalance } from './support/books.js';
import { waitUntilIdle } from './support/idle.js';
import { Campaign } from './support/campaign.js';
import { SeededRandom } from './support/seeded-random.js';
import { profile, isFullProfile } from './support/profile.js';
import { attempt, waitUntil } from './support/retry.js';
import { SmallDisk } from './support/small-disk.js';
import { logStep } from './support/log-step.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

/** The longest delay between two faults (ms). */
const LONGEST_DELAY = 2_500;

/** The number of attempts to provoke a deadlock. */
const MOST_ATTEMPTS = 5;

/** How soon PostgreSQL's statistics include a deadlock (ms). */
const STATISTICS_TIMEOUT = 5_000;

describe('the cluster survives when PostgreSQL', () => {
  let testbed: Testbed;
  let disk: SmallDisk | undefined;

  beforeAll(async () => {
    testbed = await Testbed.cluster();
    await testbed.installation.insertContacts(profile.people);
  });
  afterAll(async () => {
    await testbed.servers.postgres.stop();
    disk?.unmount();
    await testbed.remove();
  });

  it('terminates its connections', () =>
    survive(testbed, async () => {
      const random = new SeededRandom('connections');
      for (let times = 0; times < 3 * profile.outages; times++) {
        await pause(random.integer(0, LONGEST_DELAY));
        logStep('all connections are terminated');
        await testbed.installation.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scfm'
            AND pid <> pg_backend_pid()`,
        );
      }
    }));

  it.runIf(isFullProfile)('is restarted, by a fast and by an immediate shutdown', () =>
    survive(testbed, async () => {
      const random = new SeededRandom('restarts');
      for (let times = 0; times < profile.outages; times++) {
        await pause(random.integer(0, LONGEST_DELAY));
        const signal = random.pick(['SIGINT', 'SIGQUIT'] as const);
        logStep(`PostgreSQL is stopped by ${signal}`);
        await testbed.servers.postgres.stop(signal);
        await pause(random.integer(0, LONGEST_DELAY));
        await testbed.restore();
      }
    }),
  );

  it('aborts a transaction of the program because of a deadlock', async () => {
    const deadlocks = 'SELECT sum(deadlocks) AS count FROM pg_stat_database';
    const before = await testbed.count(deadlocks);
    const counted = async (): Promise<boolean> => (await testbed.count(deadlocks)) > before;
    // Whether a deadlock arises depends on the rows that the program has locked by then.
    for (let attempts = 1, isCounted = false; !isCounted; attempts++) {
      expect(attempts).toBeLessThanOrEqual(MOST_ATTEMPTS);
      const campaign = await Campaign.create(testbed);
      await provokeDeadlock(testbed, campaign);
      isCounted = await eventually(counted, STATISTICS_TIMEOUT).catch(() => false);
      await campaign.waitForCalls(profile.calls);
      await campaign.stop();
    }
    await waitUntilIdle(testbed);
    await expectBooksToBalance(testbed);
  });

  it('has a disk that is full', async () => {
    const owner = unprivilegedUser();
    disk = SmallDisk.mount(join(testbed.servers.folder, 'small'), owner);
    // Moving tables needs exclusive locks, so the program is stopped first.
    for (const instance of testbed.instances) await instance.stop('SIGTERM');
    for (const statement of [
      `CREATE TABLESPACE small LOCATION '${disk.folder}'`,
      'ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE small',
      'ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE small',
    ]) {
      await testbed.installation.query(statement);
    }
    await testbed.restore();
    const { api } = testbed;
    let sent = 0;
    await survive(testbed, async () => {
      const random = new SeededRandom('disk');
      await pause(random.integer(0, LONGEST_DELAY));
      logStep('the disk is full');
      disk!.fill();
      await waitUntil(async () => {
        const created = await attempt(() => api.post('/api/contacts', { msisdn: `+85515${1_000_000 + sent++}` }));
        return created === undefined;
      });
      expect((await api.get('/api/contacts?per_page=1')).status).toBe(200);
      await pause(LONGEST_DELAY);
      logStep('the disk has space again');
      disk!.free();
    });
  });
});

/** Locks the last row that a batch will update, and then, while the batch waits for it, the rows that it has locked. */
async function provokeDeadlock(testbed: Testbed, campaign: Campaign): Promise<void> {
  await campaign.populate();
  await campaign.createCalls();
  const calls = `phone_calls WHERE callout_id = ${campaign.callout}`;
  const other = await new DataSource({ type: 'postgres', url: testbed.servers.postgres.url }).initialize();
  const runner = other.createQueryRunner();
  try {
    // This session checks for deadlocks late, so PostgreSQL aborts the program's transaction instead.
    await runner.query(`SET deadlock_timeout = '100s'`);
    await runner.query('BEGIN');
    const [held] = await runner.query(`SELECT id FROM ${calls} ORDER BY id DESC LIMIT 1 FOR UPDATE`);
    const [{ pid }] = await runner.query('SELECT pg_backend_pid() AS pid');
    const queued = campaign.queueCalls();
    const blocked = `SELECT count(*) AS count FROM pg_stat_activity WHERE ${pid} = ANY(pg_blocking_pids(pid))`;
    await waitUntil(async () => (await testbed.count(blocked)) > 0);
    logStep('the batch waits for the locked row');
    await runner.query(`UPDATE phone_calls SET updated_at = updated_at
      WHERE callout_id = ${campaign.callout} AND id <> ${held.id} AND status = 'created'`);
    await runner.query('COMMIT');
    await queued;
  } finally {
    await runner.release();
    await other.destroy();
  }
}

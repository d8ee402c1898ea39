import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unprivilegedUser } from '../../scripts/servers.mjs';
import { eventually } from '../support/eventually.js';
import { expectBooksToBalance, waitUntilIdle } from './support/books.js';
import { Campaign } from './support/campaign.js';
import { SeededRandom } from './support/seeded-random.js';
import { profile, isFullProfile } from './support/profile.js';
import { attempt, waitUntil } from './support/retry.js';
import { SmallDisk } from './support/small-disk.js';
import { logStep } from './support/log-step.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

/** The longest time between two breaks, in milliseconds. */
const LONGEST = 2_500;

/** So often is a deadlock provoked at the most, and within so many milliseconds has PostgreSQL counted it. */
const MOST_PROVOKED = 5;
const COUNTED_WITHIN = 5_000;

describe('PostgreSQL', () => {
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

  it('breaks off its connections', () =>
    survive(testbed, async () => {
      const chance = new SeededRandom('connections');
      for (let times = 0; times < 3 * profile.breaks; times++) {
        await pause(chance.integer(0, LONGEST));
        logStep('all connections are killed');
        await testbed.installation.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scfm'
            AND pid <> pg_backend_pid()`,
        );
      }
    }));

  it.runIf(isFullProfile)('is restarted, in good order and at once', () =>
    survive(testbed, async () => {
      const chance = new SeededRandom('restarts');
      for (let times = 0; times < profile.breaks; times++) {
        await pause(chance.integer(0, LONGEST));
        const signal = chance.pick(['SIGINT', 'SIGQUIT'] as const);
        logStep(`PostgreSQL is stopped by ${signal}`);
        await testbed.servers.postgres.stop(signal);
        await pause(chance.integer(0, LONGEST));
        await testbed.restore();
      }
    }),
  );

  it('breaks off a transaction of ours that stood in the way of another', async () => {
    const deadlocks = 'SELECT sum(deadlocks) AS count FROM pg_stat_database';
    const before = await testbed.count(deadlocks);
    const counted = async (): Promise<boolean> => (await testbed.count(deadlocks)) > before;
    // Whether each comes to wait for the other hangs on which rows ours has taken by then.
    for (let provoked = 1, isCounted = false; !isCounted; provoked++) {
      expect(provoked).toBeLessThanOrEqual(MOST_PROVOKED);
      const campaign = await Campaign.create(testbed);
      await provokeDeadlock(testbed, campaign);
      isCounted = await eventually(counted, COUNTED_WITHIN).catch(() => false);
      await campaign.waitForCalls(profile.calls);
      await campaign.stop();
    }
    await waitUntilIdle(testbed);
    await expectBooksToBalance(testbed);
  });

  it('has a disk that is full', async () => {
    const owner = unprivilegedUser();
    disk = SmallDisk.mount(join(testbed.servers.folder, 'small'), owner);
    // Tables are moved while nobody uses them.
    for (const place of testbed.instances) await place.stop('SIGTERM');
    for (const statement of [
      `CREATE TABLESPACE small LOCATION '${disk.folder}'`,
      'ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE small',
      'ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE small',
    ]) {
      await testbed.installation.query(statement);
    }
    await testbed.restore();
    const { api } = testbed;
    let refused = 0;
    await survive(testbed, async () => {
      const chance = new SeededRandom('disk');
      await pause(chance.integer(0, LONGEST));
      logStep('the disk is full');
      disk!.fill();
      await waitUntil(async () => {
        const made = await attempt(() => api.post('/api/contacts', { msisdn: `+85515${1_000_000 + refused++}` }));
        return made === undefined;
      });
      expect((await api.get('/api/contacts?per_page=1')).status).toBe(200);
      await pause(LONGEST);
      logStep('there is room again');
      disk!.free();
    });
  });
});

/** Another program holds the row that our batch comes to last, and then wants those that our batch has. */
async function provokeDeadlock(testbed: Testbed, campaign: Campaign): Promise<void> {
  await campaign.populate();
  await campaign.createCalls();
  const calls = `phone_calls WHERE callout_id = ${campaign.callout}`;
  const other = await new DataSource({ type: 'postgres', url: testbed.servers.postgres.url }).initialize();
  const runner = other.createQueryRunner();
  try {
    // The other one waits longer before it looks, so that it is ours that is broken off.
    await runner.query(`SET deadlock_timeout = '100s'`);
    await runner.query('BEGIN');
    const [held] = await runner.query(`SELECT id FROM ${calls} ORDER BY id DESC LIMIT 1 FOR UPDATE`);
    const [{ pid }] = await runner.query('SELECT pg_backend_pid() AS pid');
    const queued = campaign.queueCalls();
    const stopped = `SELECT count(*) AS count FROM pg_stat_activity WHERE ${pid} = ANY(pg_blocking_pids(pid))`;
    await waitUntil(async () => (await testbed.count(stopped)) > 0);
    logStep('each waits for the other');
    await runner.query(`UPDATE phone_calls SET updated_at = updated_at
      WHERE callout_id = ${campaign.callout} AND id <> ${held.id} AND status = 'created'`);
    await runner.query('COMMIT');
    await queued;
  } finally {
    await runner.release();
    await other.destroy();
  }
}

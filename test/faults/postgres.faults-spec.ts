import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unprivilegedUser } from '../../scripts/servers.mjs';
import { eventually } from '../support/eventually.js';
import { expectBooksToBalance, quiet } from './support/books.js';
import { Campaign } from './support/campaign.js';
import { Chance } from './support/chance.js';
import { form, isFull } from './support/form.js';
import { attempt, patiently } from './support/insist.js';
import { SmallDisk } from './support/small-disk.js';
import { tell } from './support/story.js';
import { survive } from './support/survive.js';
import { World } from './support/world.js';

/** The longest time between two breaks, in milliseconds. */
const LONGEST = 2_500;

/** So often is a deadlock provoked at the most, and within so many milliseconds has PostgreSQL counted it. */
const MOST_PROVOKED = 5;
const COUNTED_WITHIN = 5_000;

describe('PostgreSQL', () => {
  let world: World;
  let disk: SmallDisk | undefined;

  beforeAll(async () => {
    world = await World.cluster();
    await world.installation.makeContacts(form.people);
  });
  afterAll(async () => {
    await world.servers.postgres.stop();
    disk?.unmount();
    await world.remove();
  });

  it('breaks off its connections', () =>
    survive(world, async () => {
      const chance = new Chance('connections');
      for (let times = 0; times < 3 * form.breaks; times++) {
        await pause(chance.between(0, LONGEST));
        tell('all connections are killed');
        await world.installation.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scfm'
            AND pid <> pg_backend_pid()`,
        );
      }
    }));

  it.runIf(isFull)('is restarted, in good order and at once', () =>
    survive(world, async () => {
      const chance = new Chance('restarts');
      for (let times = 0; times < form.breaks; times++) {
        await pause(chance.between(0, LONGEST));
        const signal = chance.of(['SIGINT', 'SIGQUIT'] as const);
        tell(`PostgreSQL is stopped by ${signal}`);
        await world.servers.postgres.stop(signal);
        await pause(chance.between(0, LONGEST));
        await world.mend();
      }
    }),
  );

  it('breaks off a transaction of ours that stood in the way of another', async () => {
    const deadlocks = 'SELECT sum(deadlocks) AS count FROM pg_stat_database';
    const before = await world.count(deadlocks);
    const counted = async (): Promise<boolean> => (await world.count(deadlocks)) > before;
    // Whether each comes to wait for the other hangs on which rows ours has taken by then.
    for (let provoked = 1, isCounted = false; !isCounted; provoked++) {
      expect(provoked).toBeLessThanOrEqual(MOST_PROVOKED);
      const campaign = await Campaign.plan(world);
      await provokeDeadlock(world, campaign);
      isCounted = await eventually(counted, COUNTED_WITHIN).catch(() => false);
      await campaign.rings(form.calls);
      await campaign.stop();
    }
    await quiet(world);
    await expectBooksToBalance(world);
  });

  it('has a disk that is full', async () => {
    const owner = unprivilegedUser();
    disk = SmallDisk.mount(join(world.servers.folder, 'small'), owner);
    // Tables are moved while nobody uses them.
    for (const place of world.places) await place.stop('SIGTERM');
    for (const statement of [
      `CREATE TABLESPACE small LOCATION '${disk.folder}'`,
      'ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE small',
      'ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE small',
    ]) {
      await world.installation.query(statement);
    }
    await world.mend();
    const { api } = world;
    let refused = 0;
    await survive(world, async () => {
      const chance = new Chance('disk');
      await pause(chance.between(0, LONGEST));
      tell('the disk is full');
      disk!.fill();
      await patiently(async () => {
        const made = await attempt(() => api.post('/api/contacts', { msisdn: `+85515${1_000_000 + refused++}` }));
        return made === undefined;
      });
      expect((await api.get('/api/contacts?per_page=1')).status).toBe(200);
      await pause(LONGEST);
      tell('there is room again');
      disk!.free();
    });
  });
});

/** Another program holds the row that our batch comes to last, and then wants those that our batch has. */
async function provokeDeadlock(world: World, campaign: Campaign): Promise<void> {
  await campaign.populate();
  await campaign.create();
  const calls = `phone_calls WHERE callout_id = ${campaign.callout}`;
  const other = await new DataSource({ type: 'postgres', url: world.servers.postgres.url }).initialize();
  const runner = other.createQueryRunner();
  try {
    // The other one waits longer before it looks, so that it is ours that is broken off.
    await runner.query(`SET deadlock_timeout = '100s'`);
    await runner.query('BEGIN');
    const [held] = await runner.query(`SELECT id FROM ${calls} ORDER BY id DESC LIMIT 1 FOR UPDATE`);
    const [{ pid }] = await runner.query('SELECT pg_backend_pid() AS pid');
    const queued = campaign.queue();
    const stopped = `SELECT count(*) AS count FROM pg_stat_activity WHERE ${pid} = ANY(pg_blocking_pids(pid))`;
    await patiently(async () => (await world.count(stopped)) > 0);
    tell('each waits for the other');
    await runner.query(`UPDATE phone_calls SET updated_at = updated_at
      WHERE callout_id = ${campaign.callout} AND id <> ${held.id} AND status = 'created'`);
    await runner.query('COMMIT');
    await queued;
  } finally {
    await runner.release();
    await other.destroy();
  }
}

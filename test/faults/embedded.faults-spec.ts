import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { dataSourceOptions } from '../../src/database/data-source-options.js';
import { readDatabase } from '../../src/config/database.js';
import { SeededRandom } from './support/seeded-random.js';
import { profile, isFullProfile } from './support/profile.js';
import { attempt, waitUntil } from './support/retry.js';
import { SmallDisk } from './support/small-disk.js';
import { logStep } from './support/log-step.js';
import { surviveKills } from './support/survive-kills.js';
import { survive } from './support/survive.js';
import { Testbed } from './support/testbed.js';

/** The longest delay before a fault (ms). */
const LONGEST_DELAY = 1_000;

describe('the embedded program', () => {
  let testbed: Testbed;
  let disk: SmallDisk | undefined;

  const createTestbed = async (folder?: string): Promise<void> => {
    testbed = await Testbed.embedded({ folder });
    await testbed.installation.insertContacts(profile.people);
  };
  afterEach(async () => {
    await testbed.remove();
    disk?.unmount();
    disk = undefined;
  });

  it(`loses and repeats nothing when it is killed ${profile.kills} times`, async () => {
    await createTestbed();
    await surviveKills(testbed, new SeededRandom('embedded kills'), LONGEST_DELAY);
  });

  it.runIf(isFullProfile)(
    `serves readers and delays writers while another program locks the file for ${profile.fileLock / 1_000} s`,
    async () => {
      await createTestbed();
      const options = dataSourceOptions(readDatabase(testbed.installation.environment));
      const other = await new DataSource({ ...options, entities: [], migrations: [] }).initialize();
      const random = new SeededRandom('locked');
      await survive(testbed, async () => {
        await pause(random.integer(0, LONGEST_DELAY));
        await other.query('BEGIN IMMEDIATE');
        logStep('the file is locked');
        const since = Date.now();
        await waitUntil(async () => {
          expect((await testbed.api.get('/api/contacts?per_page=1')).status).toBe(200);
          return Date.now() - since > profile.fileLock;
        });
        await other.query('ROLLBACK');
        logStep('the file is unlocked');
      });
      await other.destroy();
    },
  );

  it('recovers when a full disk has space again', async () => {
    disk = SmallDisk.mount(mkdtempSync(join(tmpdir(), 'scfm-small-')), {});
    const { folder } = disk;
    await createTestbed(folder);
    const random = new SeededRandom('embedded disk');
    let sent = 0;
    await survive(testbed, async () => {
      await pause(random.integer(0, LONGEST_DELAY));
      logStep('the disk is full');
      disk!.fill();
      await waitUntil(async () => {
        const created = await attempt(() =>
          testbed.api.post('/api/contacts', { msisdn: `+85515${1_000_000 + sent++}` }),
        );
        return created === undefined;
      });
      expect((await testbed.api.get('/api/contacts?per_page=1')).status).toBe(200);
      await pause(LONGEST_DELAY);
      logStep('the disk has space again');
      disk!.free();
    });
  });
});

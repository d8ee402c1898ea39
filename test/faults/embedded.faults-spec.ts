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

/** The longest that it is waited before something is broken, in milliseconds. */
const LONGEST = 1_000;

describe('the embedded program', () => {
  let testbed: Testbed;
  let disk: SmallDisk | undefined;

  const begin = async (folder?: string): Promise<void> => {
    testbed = await Testbed.embedded({ folder });
    await testbed.installation.insertContacts(profile.people);
  };
  afterEach(async () => {
    await testbed.remove();
    disk?.unmount();
    disk = undefined;
  });

  it(`loses and repeats nothing when it is killed ${profile.kills} times`, async () => {
    await begin();
    await surviveKills(testbed, new SeededRandom('embedded kills'), LONGEST);
  });

  it.runIf(isFullProfile)(
    `waits while another program locks the file for ${profile.locked / 1_000} s, and answers readers`,
    async () => {
      await begin();
      const options = dataSourceOptions(readDatabase(testbed.installation.environment));
      const other = await new DataSource({ ...options, entities: [], migrations: [] }).initialize();
      const chance = new SeededRandom('locked');
      await survive(testbed, async () => {
        await pause(chance.integer(0, LONGEST));
        await other.query('BEGIN IMMEDIATE');
        logStep('the file is locked');
        const since = Date.now();
        await waitUntil(async () => {
          expect((await testbed.api.get('/api/contacts?per_page=1')).status).toBe(200);
          return Date.now() - since > profile.locked;
        });
        await other.query('ROLLBACK');
        logStep('the file is free');
      });
      await other.destroy();
    },
  );

  it('goes on when a disk that was full has room again', async () => {
    disk = SmallDisk.mount(mkdtempSync(join(tmpdir(), 'scfm-small-')), {});
    const { folder } = disk;
    await begin(folder);
    const chance = new SeededRandom('embedded disk');
    let sent = 0;
    await survive(testbed, async () => {
      await pause(chance.integer(0, LONGEST));
      logStep('the disk is full');
      disk!.fill();
      await waitUntil(async () => {
        const made = await attempt(() => testbed.api.post('/api/contacts', { msisdn: `+85515${1_000_000 + sent++}` }));
        return made === undefined;
      });
      expect((await testbed.api.get('/api/contacts?per_page=1')).status).toBe(200);
      await pause(LONGEST);
      logStep('there is room again');
      disk!.free();
    });
  });
});

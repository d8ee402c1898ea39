import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { dataSourceOptions } from '../../src/database/data-source-options.js';
import { readDatabase } from '../../src/config/database.js';
import { Chance } from './support/chance.js';
import { form, isFull } from './support/form.js';
import { attempt, patiently } from './support/insist.js';
import { SmallDisk } from './support/small-disk.js';
import { tell } from './support/story.js';
import { surviveKills } from './support/kills.js';
import { survive } from './support/survive.js';
import { World } from './support/world.js';

/** The longest that it is waited before something is broken, in milliseconds. */
const LONGEST = 1_000;

describe('the embedded program', () => {
  let world: World;
  let disk: SmallDisk | undefined;

  const begin = async (folder?: string): Promise<void> => {
    world = await World.embedded({ folder });
    await world.installation.makeContacts(form.people);
  };
  afterEach(async () => {
    await world.remove();
    disk?.unmount();
    disk = undefined;
  });

  it(`loses and repeats nothing when it is killed ${form.kills} times`, async () => {
    await begin();
    await surviveKills(world, new Chance('embedded kills'), LONGEST);
  });

  it.runIf(isFull)(
    `waits while another program locks the file for ${form.locked / 1_000} s, and answers readers`,
    async () => {
      await begin();
      const options = dataSourceOptions(readDatabase(world.installation.environment));
      const other = await new DataSource({ ...options, entities: [], migrations: [] }).initialize();
      const chance = new Chance('locked');
      await survive(world, async () => {
        await pause(chance.between(0, LONGEST));
        await other.query('BEGIN IMMEDIATE');
        tell('the file is locked');
        const since = Date.now();
        await patiently(async () => {
          expect((await world.api.get('/api/contacts?per_page=1')).status).toBe(200);
          return Date.now() - since > form.locked;
        });
        await other.query('ROLLBACK');
        tell('the file is free');
      });
      await other.destroy();
    },
  );

  it('goes on when a disk that was full has room again', async () => {
    disk = SmallDisk.mount(mkdtempSync(join(tmpdir(), 'scfm-small-')), {});
    const { folder } = disk;
    await begin(folder);
    const chance = new Chance('embedded disk');
    let sent = 0;
    await survive(world, async () => {
      await pause(chance.between(0, LONGEST));
      tell('the disk is full');
      disk!.fill();
      await patiently(async () => {
        const made = await attempt(() => world.api.post('/api/contacts', { msisdn: `+85515${1_000_000 + sent++}` }));
        return made === undefined;
      });
      expect((await world.api.get('/api/contacts?per_page=1')).status).toBe(200);
      await pause(LONGEST);
      tell('there is room again');
      disk!.free();
    });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install } from '../scripts/prepare.mjs';
import { startServers } from '../scripts/servers.mjs';

// `npm run bench`: compares the program with hand-written baselines. See bench/README.md.

const NAMES = ['batches', 'requests', 'lists', 'dialing', 'plans', 'coverage', 'callbacks'];

install();
build();
const { readFlags } = await import('./flags.mjs');
const { Report } = await import('./report.mjs');
const { Seed } = await import('./seed.mjs');
const { Cluster, Embedded } = await import('./ways.mjs');

const flags = readFlags(process.argv.slice(2), NAMES);
const report = new Report(flags);
const folder = mkdtempSync(join(tmpdir(), 'scfm-bench-'));
const servers = flags.ways.includes('cluster') ? await startServers() : { stop: async () => {} };
const cleanUp = async () => {
  await servers.stop();
  rmSync(folder, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await cleanUp();
    process.exit(1);
  });
}
try {
  for (const way of waysOf(flags)) {
    const seed = new Seed(way, flags.contacts);
    for (const name of flags.measures) {
      const { measure } = await import(`./measures/${name}.mjs`);
      await measure({ way, seed, flags, report });
    }
    await seed.drop();
  }
} finally {
  await cleanUp();
  report.print();
  report.save(flags.output);
}

function waysOf({ ways, logLevel }) {
  const environment = { LOG_LEVEL: logLevel };
  const made = {
    embedded: () => new Embedded(folder, environment),
    cluster: () => new Cluster(folder, environment, servers),
  };
  return ways.map((name) => made[name]());
}

import { build, install } from './prepare.mjs';
import { bringUpServers } from './servers.mjs';
import { runTests } from './vitest.mjs';

// `npm test`: a private PostgreSQL and Redis, all quick tests, and everything taken down again, whatever happens.
install();
build();
const servers = await bringUpServers();
const args = process.argv.slice(2);
const code = await runTests(args.some((arg) => arg.startsWith('--project')) ? args : ['--project=!faults', ...args], {
  TEST_DATABASE_URL: servers.databaseUrl,
  TEST_REDIS_URL: servers.redisUrl,
});
await servers.takeDown();
process.exit(code);

import { build, install } from './prepare.mjs';
import { startServers } from './servers.mjs';
import { runTests } from './vitest.mjs';

// `npm test`: starts a private PostgreSQL and Redis, runs all tests except the fault tests, and stops the servers.
install();
build();
const servers = await startServers();
const args = process.argv.slice(2);
const code = await runTests(args.some((arg) => arg.startsWith('--project')) ? args : ['--project=!faults', ...args], {
  TEST_DATABASE_URL: servers.databaseUrl,
  TEST_REDIS_URL: servers.redisUrl,
});
await servers.stop();
process.exit(code);

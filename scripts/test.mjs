import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, root } from './prepare.mjs';
import { bringUpServers } from './servers.mjs';

// `npm test`: a private PostgreSQL and Redis, all tests, and everything taken down again, whatever happens.
install();
build();
const servers = await bringUpServers();
const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TEST_DATABASE_URL: servers.databaseUrl, TEST_REDIS_URL: servers.redisUrl },
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
vitest.on('exit', async (code) => {
  await servers.takeDown();
  process.exit(code ?? 1);
});

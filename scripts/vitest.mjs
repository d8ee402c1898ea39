import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './prepare.mjs';

/**
 * Runs Vitest, and then kills the processes that the tests have left behind. Forwards SIGINT and SIGTERM to Vitest.
 *
 * @param args the arguments of `vitest run`
 * @param environment further environment variables
 * @returns the exit code
 */
export async function runTests(args, environment) {
  const vitest = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
    // Its own process group, which can be signaled as a whole.
    detached: true,
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
  const code = await new Promise((resolve) => vitest.on('exit', (code) => resolve(code ?? 1)));
  try {
    // On SIGQUIT, PostgreSQL also stops its child processes.
    if (vitest.pid) process.kill(-vitest.pid, 'SIGQUIT');
  } catch {
    // The process group is empty.
  }
  return code;
}

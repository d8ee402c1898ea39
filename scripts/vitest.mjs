import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './prepare.mjs';

/**
 * Runs the tests to their end, with these arguments and more environment. A signal to us ends them. Answers the exit code when everything
 * that they started has ended, too.
 */
export async function runTests(args, environment) {
  const vitest = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
    // A process group of their own, which can be ended as a whole.
    detached: true,
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
  const code = await new Promise((resolve) => vitest.on('exit', (code) => resolve(code ?? 1)));
  try {
    // At this signal PostgreSQL ends those that it has started, too.
    if (vitest.pid) process.kill(-vitest.pid, 'SIGQUIT');
  } catch {
    // Nobody was left.
  }
  return code;
}

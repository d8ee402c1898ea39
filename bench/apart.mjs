import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

// Whatever makes load or is compared with runs in a process of its own, so that it slows nothing but by the cores it takes.

/** Has `apart/<name>.mjs` do a task; answers what it came to. */
export async function runApart(name, task) {
  const process = await startApart(name, task);
  await process.stop();
  return process.answer;
}

/** Starts `apart/<name>.mjs` on a task, and waits for its first answer. It goes on until it is stopped. */
export async function startApart(name, task) {
  const child = fork(join(import.meta.dirname, 'apart', `${name}.mjs`), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.send(task);
  const [answer] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code}`);
    }),
  ]);
  return {
    answer,
    pid: child.pid,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

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
  return {
    answer: await answerOf(name, child),
    pid: child.pid,
    /** Sends it another word, and waits for its next answer. */
    ask: async (word) => {
      child.send(word, () => {});
      return answerOf(name, child);
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** @throws Error when the process ends instead of answering */
function answerOf(name, child) {
  return new Promise((resolve, reject) => {
    const fail = (code) => reject(new Error(`${name} ended with ${code}`));
    if (child.exitCode !== null) fail(child.exitCode);
    child.once('exit', fail);
    child.once('message', (answer) => {
      child.off('exit', fail);
      resolve(answer);
    });
  });
}

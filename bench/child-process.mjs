import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

// Load generators and baselines run in child processes, so that they compete with the program only for CPU cores.

/** Runs a task in a child process, and stops it. @param name of a script in `processes/` @returns the task's result */
export async function runInChild(name, task) {
  const process = await startChild(name, task);
  await process.stop();
  return process.answer;
}

/**
 * Starts a task in a child process, and waits for its first message. The process runs until it is stopped.
 *
 * @param name of a script in `processes/`
 * @returns the first message as `answer`, with functions to talk to the process and to stop it
 */
export async function startChild(name, task) {
  const child = fork(join(import.meta.dirname, 'processes', `${name}.mjs`), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.send(task);
  return {
    answer: await answerOf(name, child),
    pid: child.pid,
    /** Sends the process a message, and waits for its reply. */
    ask: async (message) => {
      child.send(message, () => {});
      return answerOf(name, child);
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** @returns the next message of the process @throws Error when it exits first */
function answerOf(name, child) {
  return new Promise((resolve, reject) => {
    const fail = (code) => reject(new Error(`${name} exited with ${code}`));
    if (child.exitCode !== null) fail(child.exitCode);
    child.once('exit', fail);
    child.once('message', (answer) => {
      child.off('exit', fail);
      resolve(answer);
    });
  });
}

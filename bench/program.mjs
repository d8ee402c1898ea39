import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from '../scripts/prepare.mjs';

const START_TIMEOUT_MS = 60_000;

let started = 0;

/** The running child processes, which are killed when the bench exits. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The built program in a child process. Its log goes to a file, so that the bench does not spend time on it. */
export class Program {
  static async start(folder, environment) {
    const log = join(folder, `program-${++started}.log`);
    const program = new Program(log, launch('main.js', folder, environment, log));
    for (const deadline = Date.now() + START_TIMEOUT_MS; !program.url; await pause(20)) {
      if (program.child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`The program did not start: ${readFileSync(log, 'utf8')}`);
      }
      program.url = /^(?:API|This process is).*(http:\/\/[\d.:]+)/m.exec(readFileSync(log, 'utf8'))?.[1];
    }
    return program;
  }

  constructor(log, child) {
    this.log = log;
    this.child = child;
  }

  get pid() {
    return this.child.pid;
  }

  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

/** Runs the migrations. @throws Error with the log when they fail */
export async function migrate(folder, environment) {
  const log = join(folder, `program-${++started}.log`);
  const [code] = await once(launch('migrate.js', folder, environment, log), 'exit');
  if (code !== 0) throw new Error(`The migrations failed: ${readFileSync(log, 'utf8')}`);
}

function launch(script, folder, environment, log) {
  const file = openSync(log, 'w');
  const child = spawn(process.execPath, [...process.execArgv, join(root, 'dist/src', script)], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', file, file],
  });
  closeSync(file);
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

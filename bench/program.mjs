import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from '../scripts/prepare.mjs';

const PATIENCE = 60_000;

let started = 0;

/** Nothing that was started outlives the bench. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The built program, as a process of its own. Its log goes to a file, so that nobody need read it. */
export class Program {
  static async start(folder, environment) {
    const log = join(folder, `program-${++started}.log`);
    const program = new Program(log, launch('main.js', folder, environment, log));
    for (const deadline = Date.now() + PATIENCE; !program.url; await pause(20)) {
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

/** Brings the tables of an empty database up to date. */
export async function migrate(folder, environment) {
  const log = join(folder, `program-${++started}.log`);
  const [code] = await once(launch('migrate.js', folder, environment, log), 'exit');
  if (code !== 0) throw new Error(`The tables were not made: ${readFileSync(log, 'utf8')}`);
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

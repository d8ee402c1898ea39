import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPrograms } from '../../../scripts/programs.mjs';
import { eventually } from '../../support/eventually.js';

/** A line of strace: the start of a system call, its return, or both. */
export interface SystemCall {
  name: string;
  /** The file or connection, as strace describes it. */
  target: string;
  /** The rest of the line, which includes the first bytes that were written. */
  text: string;
  hasReturned: boolean;
}

/** Traces the system calls of a process with strace. */
export class SystemCalls {
  private constructor(
    private readonly strace: ChildProcess,
    private readonly folder: string,
  ) {}

  /**
   * Starts to trace.
   *
   * @param names the system calls to trace
   * @throws Error when strace may not attach. In a container this needs the capability SYS_PTRACE.
   */
  static async follow(pid: number, names: readonly string[]): Promise<SystemCalls> {
    const { strace: program } = findPrograms({ strace: 'strace' });
    const folder = mkdtempSync(join(tmpdir(), 'scfm-strace-'));
    const args = ['-f', '-yy', '-s', '64', '-e', `trace=${names.join()}`, '-o', join(folder, 'log'), '-p', String(pid)];
    const strace = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    strace.stderr.on('data', (data) => (said += data));
    await eventually(() => {
      if (strace.exitCode !== null) throw new Error(`strace could not attach to the program: ${said}`);
      return said.includes('attached');
    });
    return new SystemCalls(strace, folder);
  }

  /**
   * Stops the trace.
   *
   * @returns the system calls in order. One that was interrupted by other threads is two entries: its start and its
   *   return.
   */
  async end(): Promise<SystemCall[]> {
    this.strace.kill('SIGINT');
    if (this.strace.exitCode === null && this.strace.signalCode === null) await once(this.strace, 'exit');
    const lines = readFileSync(join(this.folder, 'log'), 'utf8').split('\n');
    rmSync(this.folder, { recursive: true });
    /** By thread, the target of its latest call. */
    const targets = new Map<string, string>();
    return lines.flatMap((line) => {
      const [, thread, resumed, begun, target, text] =
        /^(\d+)\s+(?:<\.\.\. (\w+) resumed>|(\w+)\(\d+<(.*?)>(?=[,)\s]))(.*)$/.exec(line) ?? [];
      if (!thread) return [];
      if (resumed) return [{ name: resumed, target: targets.get(thread) ?? '', text: text!, hasReturned: true }];
      targets.set(thread, target!);
      return [{ name: begun!, target: target!, text: text!, hasReturned: !text!.includes('<unfinished ...>') }];
    });
  }
}

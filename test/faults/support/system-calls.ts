import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPrograms } from '../../../scripts/servers.mjs';
import { eventually } from '../../support/eventually.js';

/** A system call of a process, as strace writes it, when it began or when it returned. */
export interface SystemCall {
  name: string;
  /** The file or the connection that it is about, as far as strace knows it. */
  target: string;
  /** The beginning of what was written, and the rest of the line. */
  text: string;
  hasReturned: boolean;
}

/** Follows the system calls of a process, by strace. */
export class SystemCalls {
  private constructor(
    private readonly strace: ChildProcess,
    private readonly folder: string,
  ) {}

  /**
   * Follows these system calls from now on.
   * @throws Error when this process may not follow another: in a container it needs SYS_PTRACE
   */
  static async follow(pid: number, names: readonly string[]): Promise<SystemCalls> {
    const { strace: program } = findPrograms({ strace: 'strace' });
    const folder = mkdtempSync(join(tmpdir(), 'scfm-strace-'));
    const args = ['-f', '-yy', '-s', '64', '-e', `trace=${names.join()}`, '-o', join(folder, 'log'), '-p', String(pid)];
    const strace = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    strace.stderr.on('data', (data) => (said += data));
    await eventually(() => {
      if (strace.exitCode !== null) throw new Error(`strace could not follow the program: ${said}`);
      return said.includes('attached');
    });
    return new SystemCalls(strace, folder);
  }

  /**
   * Follows no longer. Returns what was seen, in its order; of a call that others interrupted, its beginning and its
   * end.
   */
  async end(): Promise<SystemCall[]> {
    this.strace.kill('SIGINT');
    if (this.strace.exitCode === null && this.strace.signalCode === null) await once(this.strace, 'exit');
    const lines = readFileSync(join(this.folder, 'log'), 'utf8').split('\n');
    rmSync(this.folder, { recursive: true });
    /** The target of the call in which each thread is. */
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

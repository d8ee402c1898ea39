import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from './api.js';
import { eventually } from './eventually.js';

const SCRIPTS = join(import.meta.dirname, '../../dist/src');

/** The built program, as a process of its own. */
export class Program {
  private printed = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (this.printed += data));
  }

  /** Starts the program on a free port, and waits until it serves. */
  static async start(environment: Record<string, string>, folder?: string): Promise<Program> {
    const program = Program.launch(
      { PORT: '0', SWEEP_SECONDS: '1', WORK_LEASE_SECONDS: '3', ...environment },
      { folder },
    );
    await eventually(() => {
      if (program.hasExited) throw new Error(`The program ended at once: ${program.output}`);
      return /https?:\/\/\S+:\d+/.test(program.announcement);
    });
    return program;
  }

  /**
   * Starts the program with just this environment.
   * @param folder in which it looks for a `.env`: elsewhere than in the project's, so that none of a developer counts
   */
  static launch(environment: Record<string, string>, { folder = tmpdir(), script = 'main.js' } = {}): Program {
    return new Program(
      spawn(process.execPath, [join(SCRIPTS, script)], {
        cwd: folder,
        env: { PATH: process.env.PATH, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  /** Where it serves: `http://127.0.0.1:54321`. */
  get url(): string {
    return /https?:\/\/[^\s/]+:\d+/.exec(this.announcement)![0];
  }

  get api(): Api {
    return new Api(this.url);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Whether it runs no more. */
  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** All that it has printed. */
  get output(): string {
    return this.printed;
  }

  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends a signal and waits for the end, if the signal ends it. Answers the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.waitForExit();
  }

  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Waits for its end. Answers the exit code, or null when a signal ended it. */
  async waitForExit(): Promise<number | null> {
    if (!this.hasExited) await once(this.child, 'exit');
    return this.child.exitCode;
  }

  /** The lines that it prints for people once it serves. */
  private get announcement(): string {
    return this.printed
      .split('\n')
      .filter((line) => /^(API|This process)/.test(line))
      .join('\n');
  }
}

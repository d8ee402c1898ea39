import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from './api.js';
import { eventually } from './eventually.js';

const SCRIPTS = join(import.meta.dirname, '../../dist/src');

/** The built program in a child process. */
export class Program {
  private printed = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (this.printed += data));
  }

  /**
   * Starts the program on a free port, and waits until it serves requests.
   *
   * @throws Error when it exits first
   */
  static async start(environment: Record<string, string>, folder?: string): Promise<Program> {
    const program = Program.launch(
      { PORT: '0', SWEEP_SECONDS: '1', WORK_LEASE_SECONDS: '3', ...environment },
      { folder },
    );
    await eventually(() => {
      if (program.hasExited) throw new Error(`The program exited during startup: ${program.output}`);
      return /https?:\/\/\S+:\d+/.test(program.announcement);
    });
    return program;
  }

  /**
   * Spawns a script of the build without waiting for it.
   *
   * @param environment the whole environment, except for `PATH`
   * @param options.folder the working directory. The default is not the project's folder, where a developer's `.env`
   *   would apply.
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

  /** The address at which it serves requests, such as `http://127.0.0.1:54321`. */
  get url(): string {
    return /https?:\/\/[^\s/]+:\d+/.exec(this.announcement)![0];
  }

  /** A new client of its API. */
  get api(): Api {
    return new Api(this.url);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Whether the process has exited. */
  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Its standard output and standard error so far. */
  get output(): string {
    return this.printed;
  }

  /** Sends a signal without waiting for its effect. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends a signal and waits for the exit. @returns the exit code, or null when a signal ended the process */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.waitForExit();
  }

  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Waits for the exit. @returns the exit code, or null when a signal ended the process */
  async waitForExit(): Promise<number | null> {
    if (!this.hasExited) await once(this.child, 'exit');
    return this.child.exitCode;
  }

  /** Whether it serves the API. A worker only serves its health checks. */
  get servesApi(): boolean {
    return this.announcement.startsWith('API');
  }

  /** The lines that announce its address. */
  private get announcement(): string {
    return this.printed
      .split('\n')
      .filter((line) => /^(API|This process)/.test(line))
      .join('\n');
  }
}

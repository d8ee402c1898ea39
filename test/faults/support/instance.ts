import { readFileSync } from 'node:fs';
import type { Installation } from '../../support/installation.js';
import type { Program } from '../../support/program.js';

/** An instance of the program at a fixed port. It keeps its port when its process is replaced. */
export class Instance {
  private program?: Program;
  /** The last output of each process that crashed. */
  readonly crashes: string[] = [];

  constructor(
    private readonly installation: Installation,
    readonly port: number,
    private readonly environment: Record<string, string>,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get name(): string {
    return `the ${this.environment.SCFM_ROLE ?? 'program'} at ${this.port}`;
  }

  /** Whether the API can be reached here. A worker does not serve it. */
  get servesApi(): boolean {
    return this.environment.SCFM_ROLE !== 'worker';
  }

  /** @returns the resident memory of the process (MiB). Linux only. */
  memoryMiB(): number {
    const status = readFileSync(`/proc/${this.program!.pid}/status`, 'utf8');
    return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) / 1_024);
  }

  /** Starts the process, unless it runs, and waits until it serves requests. */
  async start(): Promise<void> {
    if (this.program && !this.program.hasExited) return;
    this.recordCrash();
    this.program = await this.installation.start({ ...this.environment, PORT: String(this.port) });
  }

  /** Stops the process by a signal. @returns its exit code, or null when the signal ended it or none was running */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const { program } = this;
    if (!program) return null;
    this.recordCrash();
    this.program = undefined;
    return program.stop(signal);
  }

  /** Sends the process a signal without waiting for its effect. */
  signal(signal: NodeJS.Signals): void {
    this.program!.signal(signal);
  }

  /** Adds to `crashes` when the process has exited without a call of `stop`. */
  recordCrash(): void {
    if (this.program?.hasExited) this.crashes.push(this.program.output.slice(-2_000));
  }
}

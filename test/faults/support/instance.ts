import { readFileSync } from 'node:fs';
import type { Installation } from '../../support/installation.js';
import type { Program } from '../../support/program.js';

/** Where one of our processes runs: when it is gone, another comes to the same place, at the same address. */
export class Instance {
  private program?: Program;
  /** The ends that nobody brought about. */
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

  get servesApi(): boolean {
    return this.environment.SCFM_ROLE !== 'worker';
  }

  /** What the process here holds in memory, in MiB: Linux's count. */
  memoryMiB(): number {
    const status = readFileSync(`/proc/${this.program!.pid}/status`, 'utf8');
    return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) / 1_024);
  }

  /** Starts a process here, unless one runs, and waits until it serves. */
  async start(): Promise<void> {
    if (this.program && !this.program.hasExited) return;
    this.recordCrash();
    this.program = await this.installation.start({ ...this.environment, PORT: String(this.port) });
  }

  /** Ends the process by a signal, and waits for its end. Answers its exit code. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const { program } = this;
    if (!program) return null;
    this.recordCrash();
    this.program = undefined;
    return program.stop(signal);
  }

  /** Sends the process a signal that does not end it. */
  signal(signal: NodeJS.Signals): void {
    this.program!.signal(signal);
  }

  recordCrash(): void {
    if (this.program?.hasExited) this.crashes.push(this.program.output.slice(-2_000));
  }
}

/** Repeats a piece of work until it is stopped, with a pause after each run. */
export class PollingLoop {
  private timer?: NodeJS.Timeout;
  private run: Promise<void> = Promise.resolve();
  private stopped = false;

  /**
   * @param work must not reject. It may return a pause for this run only (ms)
   * @param pause the default pause after each run (ms)
   */
  constructor(
    private readonly work: () => Promise<number | void>,
    private readonly pause: number,
  ) {}

  /** Starts the first run at once. */
  start(): void {
    this.run = this.work().then((pause) => {
      if (!this.stopped) this.timer = setTimeout(() => this.start(), pause ?? this.pause);
    });
  }

  /** Starts no further run, and waits for the current one. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.run;
  }
}

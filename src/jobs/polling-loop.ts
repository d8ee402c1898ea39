/** Repeats some work, with a pause after each run, until it is stopped. */
export class PollingLoop {
  private timer?: NodeJS.Timeout;
  private run: Promise<void> = Promise.resolve();
  private stopped = false;

  /**
   * @param work may return a pause for this run only (ms)
   * @param pause the pause after each run (ms)
   * @param onFailure is called with the error of a run that failed. The loop continues.
   */
  constructor(
    private readonly work: () => Promise<number | void>,
    private readonly pause: number,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** Starts the first run at once. */
  start(): void {
    this.run = this.work()
      .catch(this.onFailure)
      .then((pause) => {
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

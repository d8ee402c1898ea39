/** Does some work again and again, with a pause after each time, until it is stopped. */
export class Rounds {
  private timer?: NodeJS.Timeout;
  private round: Promise<void> = Promise.resolve();
  private stopped = false;

  /**
   * @param work must not fail; may answer a pause for this time only
   * @param pause after each time, in milliseconds
   */
  constructor(
    private readonly work: () => Promise<number | void>,
    private readonly pause: number,
  ) {}

  /** Begins, with the first time at once. */
  start(): void {
    this.round = this.work().then((pause) => {
      if (!this.stopped) this.timer = setTimeout(() => this.start(), pause ?? this.pause);
    });
  }

  /** Ends, after the time that is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
  }
}

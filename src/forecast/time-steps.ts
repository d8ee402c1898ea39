/** How long the first steps are (ms). */
const SHORTEST = 50;

/** The least and the most steps in which the time that has passed grows to its e-fold. */
const COARSEST = 40;
const FINEST = 200;

/**
 * Divides the time from a moment on into steps. They become longer as the time passes, so that a step is always the
 * same small part of it: half a percent at best.
 */
export class TimeSteps {
  /** How many steps there are. */
  readonly count: number;
  /** How many steps have the shortest length. */
  private readonly equal: number;

  /**
   * @param from the beginning (ms since 1970)
   * @param length the time that is divided (ms)
   * @param most how many steps there should be at most. There are never fewer than some 700
   */
  constructor(
    private readonly from: number,
    length: number,
    most: number,
  ) {
    const folds = 1 + Math.log(length / (SHORTEST * FINEST));
    this.equal = Math.round(Math.min(FINEST, Math.max(COARSEST, most / folds)));
    this.count = Math.ceil(this.indexOf(from + length));
  }

  /** @returns when a step begins (ms since 1970) */
  at(step: number): number {
    const { equal } = this;
    return this.from + SHORTEST * (step <= equal ? step : equal * Math.exp((step - equal) / equal));
  }

  /** @returns the step that begins closest to a time (ms since 1970), in the number of steps */
  nearest(time: number): number {
    return Math.round(this.indexOf(time));
  }

  private indexOf(time: number): number {
    const { equal } = this;
    const index = (time - this.from) / SHORTEST;
    return index <= equal ? index : equal + equal * Math.log(index / equal);
  }
}

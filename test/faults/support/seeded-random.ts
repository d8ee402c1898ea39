import { createHash } from 'node:crypto';

/** The seed of the run. The same seed leads to the same choices. */
const SEED = process.env.SEED || '1';

/** A stream of random choices, which depends only on its name and the run's seed. */
export class SeededRandom {
  private draws = 0;

  constructor(private readonly name: string) {}

  /** @returns an integer from `least` to `most`, both included */
  integer(least: number, most: number): number {
    const words = `${SEED}\n${this.name}\n${this.draws++}`;
    const unit = createHash('sha256').update(words).digest().readUInt32BE(0) / 2 ** 32;
    return least + Math.floor(unit * (most - least + 1));
  }

  /** @returns one of the choices */
  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)]!;
  }
}

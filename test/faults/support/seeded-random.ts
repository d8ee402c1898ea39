import { createHash } from 'node:crypto';

/** All choices of a run come from its seed: the same seed, the same choices. */
const SEED = process.env.SEED || '1';

/** A stream of choices that a name and the run's seed determine. */
export class SeededRandom {
  private draws = 0;

  constructor(private readonly name: string) {}

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    const words = `${SEED}\n${this.name}\n${this.draws++}`;
    const lot = createHash('sha256').update(words).digest().readUInt32BE(0) / 2 ** 32;
    return least + Math.floor(lot * (most - least + 1));
  }

  /** One of these. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)]!;
  }
}

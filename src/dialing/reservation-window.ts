import { Injectable } from '@nestjs/common';

/** The most calls that one transaction reserves, claims or records. */
export const MAX_BATCH_SIZE = 1_000;

const MIN_SIZE = 50;
const INITIAL_SIZE = 250;

/**
 * Limits how many calls are reserved and not yet claimed. It adapts to the throughput of the dialing processes like the
 * congestion window of TCP: it grows while all reservations are claimed in time, and halves when slots pass unused.
 */
@Injectable()
export class ReservationWindow {
  private size = INITIAL_SIZE;
  private passed = 0;

  /** Counts slots that passed before their calls were claimed. */
  notePassed(slots: number): void {
    this.passed += slots;
  }

  /** @returns the window for the next reservation. Halves it first if slots have passed since the last one */
  next(): number {
    if (this.passed > 0) this.size = Math.max(MIN_SIZE, Math.floor(this.size / 2));
    this.passed = 0;
    return this.size;
  }

  /** Grows the window by a tenth. To be called when all of it was used. */
  grow(): void {
    this.size = Math.min(MAX_BATCH_SIZE, Math.ceil(this.size * 1.1));
  }
}

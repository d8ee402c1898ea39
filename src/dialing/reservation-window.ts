import { Injectable } from '@nestjs/common';

/** Calls that one transaction reserves, claims or records. */
export const MAX_BATCH_SIZE = 1_000;

const MIN_SIZE = 50;
const INITIAL_SIZE = 250;

/**
 * How many calls may be reserved and not yet claimed. The window follows what the dialing processes keep up with, as
 * TCP's congestion window
 * does: it grows while every reservation is claimed in time, and halves once slots have passed unused.
 */
@Injectable()
export class ReservationWindow {
  private size = INITIAL_SIZE;
  private passed = 0;

  /** Notes slots that passed before their calls were claimed. */
  notePassed(slots: number): void {
    this.passed += slots;
  }

  /** The window for the next round of reservations; shrinks it if slots have passed since the last round. */
  next(): number {
    if (this.passed > 0) this.size = Math.max(MIN_SIZE, Math.floor(this.size / 2));
    this.passed = 0;
    return this.size;
  }

  /** Grows the window: all of it was used. */
  grow(): void {
    this.size = Math.min(MAX_BATCH_SIZE, Math.ceil(this.size * 1.1));
  }
}

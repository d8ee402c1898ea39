import type { Config } from '../config/config.js';
import { RESERVED_AHEAD_SECONDS } from '../dial-plans/dial-plan.js';

// How long calls are reserved, claimed and postponed. All of dialing uses these times.

/** How long a reservation lasts at most (s). After that, an unclaimed call can be reserved again. */
export const RESERVATION_SECONDS = RESERVED_AHEAD_SECONDS;

/** How long before the end of its reservation the slot of a call begins (s). */
const SLOT_SECONDS = 2;

/**
 * @param at when the slot of a call begins (ms of the database clock)
 * @returns the end of its reservation, as a timestamp. It identifies the reservation: a call that was released and
 *   reserved again has another slot
 */
export function reservedUntil(at: number): string {
  return new Date(at + SLOT_SECONDS * 1_000).toISOString();
}

/** @returns when the slot of a reserved call begins (ms of the database clock) */
export function slotOf(reservedUntil: string | Date): number {
  return new Date(reservedUntil).getTime() - SLOT_SECONDS * 1_000;
}

/** The longest backoff of a call that the provider refused without an effect (s). */
export const MAX_DIAL_BACKOFF = 60;

/** How long a claim may outlast the provider's timeout before its process counts as lost (s). */
const CLAIM_MARGIN = 5;

/** @returns how long a claim lasts (s). Meanwhile, no other process dials the call */
export function claimSeconds({ providerTimeout }: Pick<Config, 'providerTimeout'>): number {
  return providerTimeout + CLAIM_MARGIN;
}

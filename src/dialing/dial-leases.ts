import type { Config } from '../config/config.js';

// How long calls are reserved, claimed and postponed. All of dialing uses these times.

/** How long a reservation lasts (s). After that, an unclaimed call can be reserved again. */
export const RESERVATION_SECONDS = 3;

/** The longest backoff of a call that the provider refused without an effect (s). */
export const MAX_DIAL_BACKOFF = 60;

/** How long a claim may outlast the provider's timeout before its process counts as lost (s). */
const CLAIM_MARGIN = 5;

/** @returns how long a claim lasts (s). Meanwhile, no other process dials the call */
export function claimSeconds({ providerTimeout }: Pick<Config, 'providerTimeout'>): number {
  return providerTimeout + CLAIM_MARGIN;
}

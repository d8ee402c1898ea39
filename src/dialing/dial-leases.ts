import type { Config } from '../config/config.js';

// How long calls are reserved, claimed and set back. Every part of dialing uses these times.

/** How long a reserved call waits to be claimed (s). After that it can be reserved again. */
export const RESERVATION_SECONDS = 3;

/** The longest wait (s) of a call that the provider refused without acting on it. */
export const MAX_DIAL_BACKOFF = 60;

/** How long a claim may outlast the provider's time limit (s) before its process counts as lost. */
const CLAIM_MARGIN = 5;

/** How long a claim lasts (s): until then nobody else dials the call. */
export function claimSeconds({ providerTimeout }: Pick<Config, 'providerTimeout'>): number {
  return providerTimeout + CLAIM_MARGIN;
}

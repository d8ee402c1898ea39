/** How many minutes of dialing are queued ahead at most, so that a stop has little to cancel. */
const MINUTES_AHEAD = 2;

/** The least and the most attempts of a callout that wait to be dialed. */
const MIN_QUEUED = 100;
const MAX_QUEUED = 10_000;

/**
 * @param perSecond the rate that the callout may have (calls per second)
 * @returns how many attempts of a callout wait to be dialed at most
 */
export function queuedAhead(perSecond: number): number {
  return Math.ceil(Math.min(MAX_QUEUED, Math.max(MIN_QUEUED, MINUTES_AHEAD * 60 * perSecond)));
}

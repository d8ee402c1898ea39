import { DateTime } from 'luxon';
import { isSameNumber } from '../phone-numbers/same-number.js';
import type { RemoteCall } from '../telephony/provider.js';

/** How far the provider's clock and ours may differ (ms). */
const CLOCK_MARGIN = 300_000;

/** A dialed call whose id at the provider is not known. */
export interface UnmatchedCall {
  id: number;
  /** When the request was about to be sent. */
  dialedAt: Date;
  /** The number that it was placed from, as the client wrote it. */
  from: unknown;
}

/**
 * Finds which of the provider's calls to a number an unmatched call of ours is. Nothing in the provider's list names our call, so the match
 * is a guess by caller id and time, which a callback with our own id corrects.
 *
 * @param call one of `unmatched`
 * @param unmatched every unmatched call of ours to that number
 * @param remoteCalls the provider's calls to that number which no call of ours is known to be
 * @param within how long after the dial the provider may have taken a call (ms)
 * @returns undefined when none can be it, or when another unmatched call of ours may as well be
 */
export function matchRemoteCall(
  call: UnmatchedCall,
  unmatched: readonly UnmatchedCall[],
  remoteCalls: readonly RemoteCall[],
  within: number,
): RemoteCall | undefined {
  const candidates = remoteCalls.filter((remote) => isPlausible(call, remote, within)).toSorted(byCreation);
  // Calls that compete with ours for one of these.
  const rivals = unmatched
    .filter((one) => candidates.some((remote) => isPlausible(one, remote, within)))
    .toSorted((one, other) => one.dialedAt.getTime() - other.dialedAt.getTime() || one.id - other.id);
  const place = rivals.findIndex(({ id }) => id === call.id);
  if (place < 0 || candidates.length < rivals.length) return undefined;
  if (candidates.length === rivals.length) return candidates[place];
  if (rivals.length > 1) return undefined;
  // Somebody else placed calls from the same number: the nearest in time is ours.
  const distance = (remote: RemoteCall): number => Math.abs((createdAt(remote) ?? 0) - call.dialedAt.getTime());
  return candidates.toSorted((one, other) => distance(one) - distance(other))[0];
}

function isPlausible({ from, dialedAt }: UnmatchedCall, remote: RemoteCall, within: number): boolean {
  if (!isSameNumber(from, remote.from)) return false;
  const created = createdAt(remote);
  if (created === undefined) return true;
  const elapsed = created - dialedAt.getTime();
  return elapsed >= -CLOCK_MARGIN && elapsed <= within + CLOCK_MARGIN;
}

/** In milliseconds since 1970. Twilio writes RFC 2822 times. */
function createdAt({ date_created: text }: RemoteCall): number | undefined {
  if (typeof text !== 'string') return undefined;
  const time = [DateTime.fromRFC2822(text), DateTime.fromISO(text)].find(({ isValid }) => isValid);
  return time?.toMillis();
}

function byCreation(one: RemoteCall, other: RemoteCall): number {
  return (createdAt(one) ?? 0) - (createdAt(other) ?? 0);
}

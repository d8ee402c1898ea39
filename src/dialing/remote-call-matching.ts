import { DateTime } from 'luxon';
import { isSameNumber } from '../phone-numbers/same-number.js';
import type { Metadata } from '../metadata/metadata.js';
import type { RemoteCall } from '../telephony/telephony-provider.js';

/** How far the provider's clock and ours may differ while nothing is known about it (ms). */
const UNKNOWN_OFFSET_TOLERANCE = 300_000;

/**
 * How far a call may lie from the time at which it is expected (ms). The provider's times have no fractions of a
 * second.
 */
const TOLERANCE = 10_000;

/** A dialed call whose id at the provider is not known. */
export interface UnmatchedCall {
  id: number;
  /** When the request was about to be sent. */
  dialedAt: Date;
  /** The number that it was placed from, as the client wrote it. */
  from: unknown;
}

/** What else decides a match. */
export interface MatchOptions {
  /** How long after the dial the provider may have taken a call (ms). */
  withinMs: number;
  /** How far the provider's clock is ahead of the database's (ms); undefined when that is not known. */
  clockOffsetMs?: number;
  /** Whether a call is matched although another one of ours may be the one: no better knowledge will come. */
  guess: boolean;
}

/**
 * Finds which of the provider's calls to a number an unmatched call of ours is. Nothing in the provider's list names
 * our call, so the match
 * goes by caller id and time, and a callback with our own id corrects it.
 *
 * @param call one of `unmatched`
 * @param unmatched every unmatched call of ours to that number
 * @param remoteCalls the provider's calls to that number which no call of ours is known to be
 * @returns undefined when none can be it, or when another unmatched call of ours may as well be and `guess` is not set
 */
export function matchRemoteCall(
  call: UnmatchedCall,
  unmatched: readonly UnmatchedCall[],
  remoteCalls: readonly RemoteCall[],
  options: MatchOptions,
): RemoteCall | undefined {
  const fits = (one: UnmatchedCall, remote: RemoteCall): boolean => isPlausible(one, remote, options);
  const candidates = remoteCalls.filter((remote) => fits(call, remote)).toSorted(byCreation);
  if (candidates.length === 0) return undefined;
  // Calls that compete with ours for one of these.
  const rivals = unmatched
    .filter((one) => candidates.some((remote) => fits(one, remote)))
    .toSorted((one, other) => one.dialedAt.getTime() - other.dialedAt.getTime() || one.id - other.id);
  if (candidates.length === rivals.length) return candidates[rivals.findIndex(({ id }) => id === call.id)];
  if (rivals.length > 1 && !options.guess) return undefined;
  // Each of the provider's calls belongs to the call of ours that was dialed last before it.
  const nearest = (remote: RemoteCall): UnmatchedCall =>
    rivals.toSorted((one, other) => distance(one, remote, options) - distance(other, remote, options))[0]!;
  return candidates
    .filter((remote) => nearest(remote).id === call.id)
    .toSorted((one, other) => distance(call, one, options) - distance(call, other, options))[0];
}

function isPlausible(call: UnmatchedCall, remote: RemoteCall, { withinMs, clockOffsetMs }: MatchOptions): boolean {
  if (!isSameNumber(call.from, remote.from)) return false;
  const elapsed = elapsedUntil(call, remote, clockOffsetMs);
  if (elapsed === undefined) return true;
  const margin = clockOffsetMs === undefined ? UNKNOWN_OFFSET_TOLERANCE : TOLERANCE;
  return elapsed >= -margin && elapsed <= withinMs + margin;
}

/** In milliseconds. */
function distance(call: UnmatchedCall, remote: RemoteCall, { clockOffsetMs }: MatchOptions): number {
  return Math.abs(elapsedUntil(call, remote, clockOffsetMs) ?? 0);
}

/** Milliseconds from the dial until the provider took the call; undefined where the provider does not say when. */
function elapsedUntil({ dialedAt }: UnmatchedCall, remote: RemoteCall, offset = 0): number | undefined {
  const created = createdAt(remote);
  return created === undefined ? undefined : created - offset - dialedAt.getTime();
}

/** When the provider took a call, in milliseconds since 1970 by its clock. Twilio writes RFC 2822 times. */
export function createdAt({ date_created: text }: Metadata): number | undefined {
  if (typeof text !== 'string') return undefined;
  const time = [DateTime.fromRFC2822(text), DateTime.fromISO(text)].find(({ isValid }) => isValid);
  return time?.toMillis();
}

function byCreation(one: RemoteCall, other: RemoteCall): number {
  return (createdAt(one) ?? 0) - (createdAt(other) ?? 0);
}

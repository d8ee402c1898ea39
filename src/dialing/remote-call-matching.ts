import { DateTime } from 'luxon';
import { isSameNumber } from '../phone-numbers/same-number.js';
import type { Metadata } from '../metadata/metadata.js';
import type { RemoteCall } from '../telephony/telephony-provider.js';

/** How far a call may lie from its expected time while the clock offset is unknown (ms). */
const UNKNOWN_OFFSET_TOLERANCE = 300_000;

/** How far a call may lie from its expected time (ms). The provider's times have whole seconds only. */
const TOLERANCE = 10_000;

/** A dialed call that has no provider id yet. */
export interface UnmatchedCall {
  id: number;
  /** The time just before the request was sent, by the database clock. */
  dialedAt: Date;
  /** The caller id, as the client wrote it. */
  from: unknown;
}

/** Options of {@link matchRemoteCall}. */
export interface MatchOptions {
  /** How long after the dial the provider may have created the call (ms). */
  withinMs: number;
  /** How far the provider's clock is ahead of the database clock (ms); undefined when unknown. */
  clockOffsetMs?: number;
  /** Whether to pick the most likely call when several of our calls match, because no more information will arrive. */
  guess: boolean;
}

/**
 * Finds the provider's call that belongs to one of our unmatched calls. The provider's list does not contain our ids,
 * so calls are matched by caller id and time. A callback with our id later corrects a wrong match.
 *
 * @param call one of `unmatched`
 * @param unmatched all of our unmatched calls to the number
 * @param remoteCalls the provider's calls to the number that the database does not know
 * @returns undefined when no call matches, or when the match is ambiguous and `guess` is false
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
  // The unmatched calls that compete for the candidates, including this one.
  const rivals = unmatched
    .filter((one) => candidates.some((remote) => fits(one, remote)))
    .toSorted((one, other) => one.dialedAt.getTime() - other.dialedAt.getTime() || one.id - other.id);
  if (candidates.length === rivals.length) return candidates[rivals.findIndex(({ id }) => id === call.id)];
  if (rivals.length > 1 && !options.guess) return undefined;
  // Each candidate belongs to the rival with the nearest dial.
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

/** @returns the time between dial and creation (ms); 0 when unknown */
function distance(call: UnmatchedCall, remote: RemoteCall, { clockOffsetMs }: MatchOptions): number {
  return Math.abs(elapsedUntil(call, remote, clockOffsetMs) ?? 0);
}

/** @returns the time from the dial until the provider created the call (ms); undefined without a creation time */
function elapsedUntil({ dialedAt }: UnmatchedCall, remote: RemoteCall, offset = 0): number | undefined {
  const created = createdAt(remote);
  return created === undefined ? undefined : created - offset - dialedAt.getTime();
}

/**
 * Parses when the provider created a call. Twilio writes RFC 2822 times.
 * @returns ms since 1970 by the provider's clock; undefined without a valid time
 */
export function createdAt({ date_created: text }: Metadata): number | undefined {
  if (typeof text !== 'string') return undefined;
  const time = [DateTime.fromRFC2822(text), DateTime.fromISO(text)].find(({ isValid }) => isValid);
  return time?.toMillis();
}

function byCreation(one: RemoteCall, other: RemoteCall): number {
  return (createdAt(one) ?? 0) - (createdAt(other) ?? 0);
}

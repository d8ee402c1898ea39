import { describe, expect, it } from 'vitest';
import { type MatchOptions, type UnmatchedCall, matchRemoteCall } from '../src/dialing/remote-call-matching.js';
import type { RemoteCall } from '../src/telephony/telephony-provider.js';

const START = Date.UTC(2026, 10, 25, 9, 0, 0);
const WITHIN = 30_000;

/** A call of ours that was dialed so many seconds after the start. */
const ours = (id: number, seconds: number, from: unknown = '2442'): UnmatchedCall => ({
  id,
  dialedAt: new Date(START + seconds * 1_000),
  from,
});

/** A call of the provider's that was made so many seconds after the start. */
const theirs = (sid: string, seconds: number, from = '2442'): RemoteCall => ({
  sid,
  status: 'queued',
  from,
  date_created: new Date(START + seconds * 1_000).toUTCString().replace('GMT', '+0000'),
});

const match = (
  call: UnmatchedCall,
  unmatched: UnmatchedCall[],
  remote: RemoteCall[],
  options: Partial<MatchOptions> = {},
): string | undefined => matchRemoteCall(call, unmatched, remote, { withinMs: WITHIN, guess: false, ...options })?.sid;

describe('an uncertain call', () => {
  it('is the only call that the provider made at that time from that number', () => {
    const call = ours(1, 0);
    expect(match(call, [call], [theirs('A', 1)])).toBe('A');
    expect(
      match(ours(1, 0, '+855 10 202 101'), [ours(1, 0, '+855 10 202 101')], [theirs('A', 1, '+85510202101')]),
    ).toBe('A');
  });

  it.each([
    ['comes from another number', theirs('A', 1, '2443')],
    ['was made long before', theirs('A', -600)],
    ['was made long after', theirs('A', 3_600)],
  ])('is no call that %s', (_, remote) => {
    expect(match(ours(1, 0), [ours(1, 0)], [remote])).toBeUndefined();
  });

  it('is told from its siblings by the order of time', () => {
    const siblings = [ours(1, 0), ours(2, 5), ours(3, 9)];
    const remote = [theirs('C', 10), theirs('A', 1), theirs('B', 6)];
    expect(siblings.map((call) => match(call, siblings, remote))).toEqual(['A', 'B', 'C']);
  });

  it('is not guessed while a sibling may as well be the one that the provider took', () => {
    const siblings = [ours(1, 0), ours(2, 5)];
    expect(siblings.map((call) => match(call, siblings, [theirs('A', 3)]))).toEqual([undefined, undefined]);
    const strangers = [theirs('A', 1), theirs('B', 6), theirs('C', 7)];
    expect(siblings.map((call) => match(call, siblings, strangers))).toEqual([undefined, undefined]);
  });

  it('is guessed in the end, by the last dial before: nothing better will come', () => {
    const siblings = [ours(1, 0), ours(2, 5)];
    expect(siblings.map((call) => match(call, siblings, [theirs('A', 6)], { guess: true }))).toEqual([undefined, 'A']);
    expect(siblings.map((call) => match(call, siblings, [theirs('A', 1)], { guess: true }))).toEqual(['A', undefined]);
  });

  it('is told from a call of a minute ago once the difference of the clocks is known', () => {
    const siblings = [ours(1, 0), ours(2, 60)];
    const remote = [theirs('A', 3_661)];
    expect(siblings.map((call) => match(call, siblings, remote, { clockOffsetMs: 3_600_000 }))).toEqual([
      undefined,
      'A',
    ]);
    expect(siblings.map((call) => match(call, siblings, remote))).toEqual([undefined, undefined]);
  });

  it('does not compete with a sibling whose time does not fit', () => {
    const [early, late] = [ours(1, 0), ours(2, 86_400)];
    expect(match(late, [early, late], [theirs('A', 86_401)])).toBe('A');
    expect(match(early, [early, late], [theirs('A', 86_401)])).toBeUndefined();
  });

  it('is the nearest in time of several calls that somebody placed from the same number', () => {
    expect(match(ours(1, 100), [ours(1, 100)], [theirs('A', 0), theirs('B', 102), theirs('C', 160)])).toBe('B');
  });

  it('is matched by caller id alone where the provider gives no time', () => {
    const { date_created: _, ...timeless } = theirs('A', 0);
    expect(match(ours(1, 5_000), [ours(1, 5_000)], [timeless as RemoteCall])).toBe('A');
  });
});

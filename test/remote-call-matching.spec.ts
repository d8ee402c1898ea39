import { describe, expect, it } from 'vitest';
import { type MatchOptions, type UnmatchedCall, matchRemoteCall } from '../src/dialing/remote-call-matching.js';
import type { RemoteCall } from '../src/telephony/telephony-provider.js';

const START = Date.UTC(2026, 10, 25, 9, 0, 0);
const WITHIN_MS = 30_000;

/** A call of ours, dialed this many seconds after the start. */
const localCall = (id: number, seconds: number, from: unknown = '2442'): UnmatchedCall => ({
  id,
  dialedAt: new Date(START + seconds * 1_000),
  from,
});

/** A call of the provider, created this many seconds after the start. */
const remoteCall = (sid: string, seconds: number, from = '2442'): RemoteCall => ({
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
): string | undefined =>
  matchRemoteCall(call, unmatched, remote, { withinMs: WITHIN_MS, guess: false, ...options })?.sid;

describe('an uncertain call', () => {
  it('is matched with the only call of the provider at that time from that number', () => {
    const call = localCall(1, 0);
    expect(match(call, [call], [remoteCall('A', 1)])).toBe('A');
    expect(
      match(
        localCall(1, 0, '+855 10 202 101'),
        [localCall(1, 0, '+855 10 202 101')],
        [remoteCall('A', 1, '+85510202101')],
      ),
    ).toBe('A');
  });

  it.each([
    ['comes from another number', remoteCall('A', 1, '2443')],
    ['was created long before', remoteCall('A', -600)],
    ['was created long after', remoteCall('A', 3_600)],
  ])('is not matched with a call that %s', (_, remote) => {
    expect(match(localCall(1, 0), [localCall(1, 0)], [remote])).toBeUndefined();
  });

  it('is distinguished from others by the order of time', () => {
    const siblings = [localCall(1, 0), localCall(2, 5), localCall(3, 9)];
    const remote = [remoteCall('C', 10), remoteCall('A', 1), remoteCall('B', 6)];
    expect(siblings.map((call) => match(call, siblings, remote))).toEqual(['A', 'B', 'C']);
  });

  it('is not matched while another call fits equally well', () => {
    const siblings = [localCall(1, 0), localCall(2, 5)];
    expect(siblings.map((call) => match(call, siblings, [remoteCall('A', 3)]))).toEqual([undefined, undefined]);
    const strangers = [remoteCall('A', 1), remoteCall('B', 6), remoteCall('C', 7)];
    expect(siblings.map((call) => match(call, siblings, strangers))).toEqual([undefined, undefined]);
  });

  it('is finally guessed by the nearest dial', () => {
    const siblings = [localCall(1, 0), localCall(2, 5)];
    expect(siblings.map((call) => match(call, siblings, [remoteCall('A', 6)], { guess: true }))).toEqual([
      undefined,
      'A',
    ]);
    expect(siblings.map((call) => match(call, siblings, [remoteCall('A', 1)], { guess: true }))).toEqual([
      'A',
      undefined,
    ]);
  });

  it('is distinguished from a call of a minute ago once the clock offset is known', () => {
    const siblings = [localCall(1, 0), localCall(2, 60)];
    const remote = [remoteCall('A', 3_661)];
    expect(siblings.map((call) => match(call, siblings, remote, { clockOffsetMs: 3_600_000 }))).toEqual([
      undefined,
      'A',
    ]);
    expect(siblings.map((call) => match(call, siblings, remote))).toEqual([undefined, undefined]);
  });

  it('does not compete with a call whose time does not fit', () => {
    const [early, late] = [localCall(1, 0), localCall(2, 86_400)];
    expect(match(late, [early, late], [remoteCall('A', 86_401)])).toBe('A');
    expect(match(early, [early, late], [remoteCall('A', 86_401)])).toBeUndefined();
  });

  it('is matched with the nearest of several calls from the same number', () => {
    expect(
      match(localCall(1, 100), [localCall(1, 100)], [remoteCall('A', 0), remoteCall('B', 102), remoteCall('C', 160)]),
    ).toBe('B');
  });

  it('is matched by caller id alone if the provider gives no time', () => {
    const { date_created: _, ...timeless } = remoteCall('A', 0);
    expect(match(localCall(1, 5_000), [localCall(1, 5_000)], [timeless as RemoteCall])).toBe('A');
  });
});

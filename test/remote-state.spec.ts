import { describe, expect, it } from 'vitest';
import { type KnownState, statusAfter } from '../src/phone-calls/remote-state.js';

const at = (remote_status: string | null, status: KnownState['status'], sequence_number: number | null = null) => ({
  status,
  remote_status,
  sequence_number,
});

describe('an update of a call', () => {
  it.each([
    [at(null, 'queued'), 'queued', undefined, 'remotely_queued'],
    [at('queued', 'remotely_queued'), 'ringing', 1, 'in_progress'],
    [at('ringing', 'in_progress', 1), 'in-progress', undefined, 'in_progress'],
    [at('in-progress', 'in_progress', 2), 'completed', 3, 'completed'],
    [at('queued', 'remotely_queued'), 'busy', undefined, 'busy'],
    [at('queued', 'remotely_queued'), 'no-answer', undefined, 'not_answered'],
    [at('queued', 'remote_fetch_queued'), 'failed', undefined, 'failed'],
    [at('queued', 'remotely_queued'), 'canceled', undefined, 'canceled'],
    // An update replaces an assumed status.
    [at(null, 'uncertain'), 'completed', 3, 'completed'],
    [at(null, 'errored'), 'completed', undefined, 'completed'],
    // The final status with the higher sequence number wins.
    [at('busy', 'busy', 2), 'completed', 3, 'completed'],
  ])('of %j to %s (number %s) leads to %s', (known, remoteStatus, sequence, expected) => {
    expect(statusAfter(known, { remoteStatus, sequence })).toBe(expected);
  });

  it.each([
    [at('completed', 'completed', 3), 'ringing', 1],
    [at('completed', 'completed', 3), 'in-progress', 9],
    [at('completed', 'completed', 3), 'completed', 3],
    [at('completed', 'completed', 3), 'busy', 2],
    [at('completed', 'completed'), 'busy', undefined],
    [at('in-progress', 'in_progress', 2), 'initiated', 0],
    [at('ringing', 'in_progress', 1), 'dancing', 5],
    [at('ringing', 'in_progress', 1), 'constructor', 5],
    [at('ringing', 'in_progress', 1), undefined, 5],
  ])('of %j to %s (number %s) changes nothing', (known, remoteStatus, sequence) => {
    expect(statusAfter(known, { remoteStatus, sequence })).toBeUndefined();
  });
});

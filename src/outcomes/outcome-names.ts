/** The outcomes of a participation: what came of the attempts to reach a person. A participation has exactly one. */
export const outcomes = [
  'waiting',
  'calling',
  'retrying',
  'confirmed',
  'answered',
  'machine',
  'busy',
  'not_answered',
  'failed',
  'errored',
  'uncertain',
  'opted_out',
  'canceled',
  'expired',
] as const;
export type Outcome = (typeof outcomes)[number];

/** The groups of outcomes, in the order of reports. Each outcome is in exactly one. */
export const outcomeGroups = {
  reached: ['confirmed', 'answered'],
  not_reached: ['machine', 'busy', 'not_answered', 'failed', 'errored', 'uncertain'],
  not_called: ['opted_out', 'canceled', 'expired'],
  open: ['waiting', 'calling', 'retrying'],
} as const satisfies Record<string, readonly Outcome[]>;

/** The outcomes of people who will be called, or whose call is under way or may be. */
export const unfinishedOutcomes: readonly Outcome[] = ['waiting', 'retrying', 'calling', 'uncertain'];

/** The reasons for which a due call is held back. */
export const waitingReasons = ['turn', 'window', 'budget'] as const;
export type WaitingReason = (typeof waitingReasons)[number];

import type { Transitions } from '../state-machine/state-machine.js';

export const phoneCallStatuses = [
  'created',
  'queued',
  'remotely_queued',
  'remote_fetch_queued',
  'in_progress',
  'busy',
  'failed',
  'not_answered',
  'canceled',
  'completed',
  'errored',
  'uncertain',
] as const;
export type PhoneCallStatus = (typeof phoneCallStatuses)[number];

/** The moves that a client can request as events. {@link phoneCallMoves} contains them, too. */
export const phoneCallMachine = {
  queue: { from: ['created'], to: 'queued' },
  queue_remote_fetch: { from: ['remotely_queued'], to: 'remote_fetch_queued' },
} as const satisfies Transitions<PhoneCallStatus>;

/** The statuses that the provider may still change. A call without webhooks in one of them is looked up. */
export const awaitedStatuses = [
  'remotely_queued',
  'remote_fetch_queued',
  'in_progress',
  'uncertain',
] as const satisfies PhoneCallStatus[];

/** The statuses of a call that has ended. Only a late update from the provider can still change one of them. */
export const endedStatuses = [
  'busy',
  'failed',
  'not_answered',
  'canceled',
  'completed',
  'errored',
] as const satisfies PhoneCallStatus[];

/** @returns whether a call with this status has ended. No other code decides this */
export function hasEnded(status: PhoneCallStatus): boolean {
  return endedStatuses.some((ended) => ended === status);
}

/** The columns whose values depend on the status. */
export const bookkeepingColumns = [
  'lease_token',
  'leased_until',
  'postponed_until',
  'dialled_at',
  'refusals',
  'refusal_code',
  'remote_call_id',
  'remote_status',
  'remotely_queued_at',
  'sequence_number',
  'remote_error_message',
  'check_at',
  'checks',
  'ended_at',
] as const;
export type BookkeepingColumn = (typeof bookkeepingColumns)[number];

/** The bookkeeping columns that follow from the status alone. No move supplies their values. */
export const derivedColumns = ['ended_at'] as const satisfies BookkeepingColumn[];

/** The bookkeeping columns whose values moves supply. */
type SuppliedColumn = Exclude<BookkeepingColumn, (typeof derivedColumns)[number]>;

/** What a column contains in a status: always NULL, always 0, never NULL, or any value. */
export type ColumnRule = 'null' | 'zero' | 'set' | 'any';

/** The rule for each bookkeeping column in a status. */
export type Bookkeeping = Readonly<Record<BookkeepingColumn, ColumnRule>>;

/** No request was sent to the provider. */
const notDialed: Bookkeeping = {
  lease_token: 'null',
  leased_until: 'null',
  postponed_until: 'null',
  dialled_at: 'null',
  refusals: 'zero',
  refusal_code: 'null',
  remote_call_id: 'null',
  remote_status: 'null',
  remotely_queued_at: 'null',
  sequence_number: 'null',
  remote_error_message: 'null',
  check_at: 'null',
  checks: 'zero',
  ended_at: 'null',
};

/**
 * The provider has the call. A remaining token belongs to a dial whose response is not recorded yet. An inbound call
 * was never dialed and never queued at the provider.
 */
const atProvider: Bookkeeping = {
  lease_token: 'any',
  leased_until: 'null',
  postponed_until: 'null',
  dialled_at: 'any',
  refusals: 'any',
  refusal_code: 'null',
  remote_call_id: 'set',
  remote_status: 'any',
  remotely_queued_at: 'any',
  sequence_number: 'any',
  remote_error_message: 'null',
  check_at: 'set',
  checks: 'any',
  ended_at: 'null',
};

/** The provider has reported how the call ended. */
const endedAtProvider: Bookkeeping = {
  ...atProvider,
  remote_status: 'set',
  check_at: 'null',
  ended_at: 'set',
};

/** The rules for the bookkeeping columns in each status. */
export const phoneCallBookkeeping: Readonly<Record<PhoneCallStatus, Bookkeeping>> = {
  created: notDialed,
  // A reserved call has `leased_until`. A claimed one has the token and `dialled_at`, too.
  queued: {
    ...notDialed,
    lease_token: 'any',
    leased_until: 'any',
    postponed_until: 'any',
    dialled_at: 'any',
    refusals: 'any',
  },
  // The token stays, so that a late response is recorded.
  uncertain: { ...notDialed, lease_token: 'any', dialled_at: 'set', refusals: 'any', check_at: 'set', checks: 'any' },
  remotely_queued: atProvider,
  remote_fetch_queued: atProvider,
  in_progress: { ...atProvider, remote_status: 'set' },
  completed: endedAtProvider,
  busy: endedAtProvider,
  failed: endedAtProvider,
  not_answered: endedAtProvider,
  // By the provider, or by us before it was dialed.
  canceled: { ...endedAtProvider, remote_call_id: 'any', remote_status: 'any', remote_error_message: 'any' },
  // Never placed, or no longer known to the provider.
  errored: {
    ...endedAtProvider,
    lease_token: 'null',
    refusal_code: 'any',
    remote_call_id: 'any',
    remote_status: 'any',
    remote_error_message: 'set',
  },
};

/** A transition of the machine. Unlike a client's event, a move can stay in its status. */
export interface Move {
  /** The statuses from which it is possible; empty for an inserted row. */
  readonly from: readonly PhoneCallStatus[];
  /** The statuses to which it can lead. */
  readonly to: readonly PhoneCallStatus[];
  /** The statuses in which it can leave the call. */
  readonly stays?: readonly PhoneCallStatus[];
  /**
   * The columns whose values the caller supplies. Other columns become NULL or 0 if the new status requires it, and
   * keep their values otherwise.
   */
  readonly sets: readonly SuppliedColumn[];
  /** The columns that must not be NULL before the move. */
  readonly requires?: readonly BookkeepingColumn[];
}

/** The statuses to which an update from the provider can lead. */
const providerStatuses = [
  'remotely_queued',
  'in_progress',
  'completed',
  'busy',
  'failed',
  'not_answered',
  'canceled',
] as const satisfies PhoneCallStatus[];

/** All moves of a call. The moves from `queued` to `queued` reserve and claim it. */
export const phoneCallMoves = {
  create: { from: [], to: ['created'], sets: [] },
  /** A dial plan makes an attempt. */
  attempt: { from: [], to: ['queued'], sets: [] },
  /** An inbound call arrives. */
  receive: { from: [], to: ['remotely_queued'], sets: ['remote_call_id', 'check_at'] },

  queue: { from: phoneCallMachine.queue.from, to: [phoneCallMachine.queue.to], sets: [] },
  queue_remote_fetch: {
    from: phoneCallMachine.queue_remote_fetch.from,
    to: [phoneCallMachine.queue_remote_fetch.to],
    sets: ['check_at', 'checks'],
    requires: ['remote_call_id'],
  },

  reserve: { from: ['queued'], to: ['queued'], sets: ['leased_until'] },
  release_reservation: { from: ['queued'], to: ['queued'], sets: ['leased_until'] },
  claim: { from: ['queued'], to: ['queued'], sets: ['lease_token', 'leased_until', 'dialled_at'] },
  /** No request was sent. */
  release_claim: { from: ['queued'], to: ['queued'], sets: ['lease_token', 'leased_until', 'dialled_at'] },
  /** The process that claimed the call was lost. The provider may have the call. */
  expire_claim: {
    from: ['queued'],
    to: ['uncertain'],
    sets: ['check_at', 'checks'],
    requires: ['lease_token', 'dialled_at'],
  },
  /** The call must no longer be dialed: its callout was stopped, or its person opted out. */
  cancel: { from: ['queued'], to: ['canceled'], sets: ['lease_token', 'dialled_at', 'remote_error_message'] },

  record_accepted: {
    from: ['queued', 'uncertain', 'errored'],
    to: providerStatuses,
    sets: ['lease_token', 'remote_call_id', 'remote_status', 'remotely_queued_at', 'check_at', 'checks'],
  },
  /** A webhook arrived before the provider's response, which is only stored. */
  record_late_answer: {
    from: ['remotely_queued', 'remote_fetch_queued', 'in_progress', ...endedStatuses],
    to: [],
    stays: ['remotely_queued', 'remote_fetch_queued', 'in_progress', ...endedStatuses],
    sets: ['lease_token', 'remote_call_id', 'remotely_queued_at'],
  },
  record_refused: {
    from: ['queued', 'uncertain'],
    to: ['errored'],
    sets: ['refusal_code', 'remote_error_message'],
  },
  /** The call flow had nothing to say, or failed. No request was sent. */
  record_unsendable: {
    from: ['queued', 'uncertain'],
    to: ['errored'],
    sets: ['dialled_at', 'remote_error_message'],
  },
  record_unknown: {
    from: ['queued', 'uncertain'],
    to: ['uncertain'],
    sets: ['lease_token', 'check_at', 'checks'],
    requires: ['dialled_at'],
  },
  /** The provider refused the call without an effect. It is dialed again later. */
  record_postponed: {
    from: ['queued', 'uncertain'],
    to: ['queued'],
    sets: ['lease_token', 'leased_until', 'postponed_until', 'dialled_at', 'refusals'],
  },
  /** A setting caused the refusal. The call is dialed again once the callout is resumed. */
  requeue: { from: ['errored'], to: ['queued'], sets: ['dialled_at', 'refusals'] },

  webhook: {
    from: phoneCallStatuses,
    to: providerStatuses,
    stays: ['remote_fetch_queued', 'errored'],
    sets: ['remote_call_id', 'remote_status', 'remotely_queued_at', 'sequence_number', 'check_at', 'checks'],
  },

  look_up: { from: awaitedStatuses, to: [], stays: awaitedStatuses, sets: ['check_at', 'checks'] },
  apply_remote_state: {
    from: [...awaitedStatuses, ...endedStatuses],
    to: providerStatuses,
    stays: ['errored'],
    sets: ['lease_token', 'remote_call_id', 'remote_status', 'remotely_queued_at', 'check_at'],
  },
  reschedule: {
    from: ['uncertain', 'remotely_queued', 'in_progress'],
    to: [],
    stays: ['uncertain', 'remotely_queued', 'in_progress'],
    sets: ['check_at'],
  },
  end_remote_fetch: { from: ['remote_fetch_queued'], to: ['remotely_queued'], sets: ['check_at'] },
  /** The provider does not know the call, after several lookups. */
  give_up: { from: awaitedStatuses, to: ['errored'], sets: ['remote_error_message'] },
  /** The provider id of this call was a wrong guess: it belongs to another call. */
  retract_remote_id: {
    from: ['remotely_queued', 'remote_fetch_queued', 'in_progress', ...endedStatuses],
    to: ['uncertain'],
    sets: ['dialled_at', 'check_at', 'checks'],
  },
  /** The call was placed after the backup from which the database was restored. */
  mark_lost: { from: ['created', 'queued'], to: ['uncertain'], sets: ['dialled_at', 'check_at', 'checks'] },
} as const satisfies Readonly<Record<string, Move>>;

export type PhoneCallMove = keyof typeof phoneCallMoves;

/** The provider has the call, and it has not ended. For the outcome of a participation, these are one. */
const underWay: readonly PhoneCallStatus[] = ['remotely_queued', 'remote_fetch_queued', 'in_progress'];

/**
 * @returns whether a move can change the outcome of the participation, or the number of its attempts. Those that keep
 *   the status, such as a reservation, cannot
 */
export function canChangeOutcome(move: PhoneCallMove): boolean {
  const { from, to }: Move = phoneCallMoves[move];
  const isSame = (one: PhoneCallStatus, other: PhoneCallStatus): boolean =>
    one === other || (underWay.includes(one) && underWay.includes(other));
  return from.some((before) => to.some((after) => !isSame(before, after)));
}

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

/** The events that a client may request. They are a part of {@link phoneCallMoves}. */
export const phoneCallMachine = {
  queue: { from: ['created'], to: 'queued' },
  queue_remote_fetch: { from: ['remotely_queued'], to: 'remote_fetch_queued' },
} as const satisfies Transitions<PhoneCallStatus>;

/** Statuses in which the provider may still have news: a call that stays silent in one of them is looked up. */
export const awaitedStatuses = [
  'remotely_queued',
  'remote_fetch_queued',
  'in_progress',
  'uncertain',
] as const satisfies PhoneCallStatus[];

/** Statuses of a call that has ended. Only late news from the provider can still change one of them. */
export const endedStatuses = [
  'busy',
  'failed',
  'not_answered',
  'canceled',
  'completed',
  'errored',
] as const satisfies PhoneCallStatus[];

/** Whether a call has ended. This is the only place that decides it. */
export function hasEnded(status: PhoneCallStatus): boolean {
  return endedStatuses.some((ended) => ended === status);
}

/** The columns whose values depend on the status. */
export const bookkeepingColumns = [
  'lease_token',
  'leased_until',
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
] as const;
export type BookkeepingColumn = (typeof bookkeepingColumns)[number];

/** What a column holds in a status: always NULL, always 0, never NULL, or whatever the call's history left in it. */
export type ColumnRule = 'null' | 'zero' | 'set' | 'any';

export type Bookkeeping = Readonly<Record<BookkeepingColumn, ColumnRule>>;

/** Nothing was ever sent to the provider. */
const notDialed: Bookkeeping = {
  lease_token: 'null',
  leased_until: 'null',
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
};

/**
 * The provider has the call. A token that is still there belongs to a dial whose answer has not been recorded. An
 * inbound call was never
 * dialed and never queued at the provider.
 */
const atProvider: Bookkeeping = {
  lease_token: 'any',
  leased_until: 'null',
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
};

/** The provider said how the call ended. */
const endedAtProvider: Bookkeeping = { ...atProvider, remote_status: 'set', check_at: 'null' };

/** What a call looks like in each status. */
export const phoneCallBookkeeping: Readonly<Record<PhoneCallStatus, Bookkeeping>> = {
  created: notDialed,
  // Reserved with `leased_until`, claimed with the token and `dialled_at` as well; refused a moment ago until
  // `leased_until`.
  queued: { ...notDialed, lease_token: 'any', leased_until: 'any', dialled_at: 'any', refusals: 'any' },
  // The token stays, so that an answer that arrives late is recorded.
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

/** One move of the machine, and the bookkeeping columns that whoever makes it has to supply. */
export interface Move {
  /** The statuses from which it can happen; none for a row that is inserted. */
  readonly from: readonly PhoneCallStatus[];
  /** The statuses to which it can lead. */
  readonly to: readonly PhoneCallStatus[];
  /** The statuses that it can leave as they are. */
  readonly stays?: readonly PhoneCallStatus[];
  /**
   * The columns that get a value. Of the others, those that the new status wants NULL or 0 become so, and the rest is
   * kept.
   */
  readonly sets: readonly BookkeepingColumn[];
  /** The columns that must not be NULL for the move to happen. */
  readonly requires?: readonly BookkeepingColumn[];
}

/** Where the provider's news lead. */
const toProvider = [
  'remotely_queued',
  'in_progress',
  'completed',
  'busy',
  'failed',
  'not_answered',
  'canceled',
] as const satisfies PhoneCallStatus[];

/** Every move of a call's status. Those that stay in `queued` reserve and claim it. */
export const phoneCallMoves = {
  create: { from: [], to: ['created'], sets: [] },
  /** A person calls us. */
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
  /** Nothing was sent. */
  release_claim: { from: ['queued'], to: ['queued'], sets: ['lease_token', 'leased_until', 'dialled_at'] },
  /** The process that claimed the call was lost: the provider may have the call. */
  expire_claim: {
    from: ['queued'],
    to: ['uncertain'],
    sets: ['check_at', 'checks'],
    requires: ['lease_token', 'dialled_at'],
  },
  /** The call must not be dialed any more: its callout was stopped, or its person opted out. */
  cancel: { from: ['queued'], to: ['canceled'], sets: ['lease_token', 'dialled_at', 'remote_error_message'] },

  record_accepted: {
    from: ['queued', 'uncertain', 'errored'],
    to: toProvider,
    sets: ['lease_token', 'remote_call_id', 'remote_status', 'remotely_queued_at', 'check_at', 'checks'],
  },
  /** A webhook was faster than the provider's answer, which is only stored. */
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
  /** There was nothing to ask the provider for. */
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
  /** The provider refused without acting on the call, which is dialed again later. */
  record_postponed: {
    from: ['queued', 'uncertain'],
    to: ['queued'],
    sets: ['lease_token', 'leased_until', 'dialled_at', 'refusals'],
  },
  /** The refusal was the fault of a setting: the call is dialed again once the callout is resumed. */
  requeue: { from: ['errored'], to: ['queued'], sets: ['dialled_at', 'refusals'] },

  webhook: {
    from: phoneCallStatuses,
    to: toProvider,
    stays: ['remote_fetch_queued', 'errored'],
    sets: ['remote_call_id', 'remote_status', 'remotely_queued_at', 'sequence_number', 'check_at', 'checks'],
  },

  look_up: { from: awaitedStatuses, to: [], stays: awaitedStatuses, sets: ['check_at', 'checks'] },
  apply_remote_state: {
    from: [...awaitedStatuses, ...endedStatuses],
    to: toProvider,
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
  /** The provider does not know the call. */
  give_up: { from: awaitedStatuses, to: ['errored'], sets: ['remote_error_message'] },
  /** Another call turned out to own the provider's id that this one was believed to have. */
  retract_remote_id: {
    from: ['remotely_queued', 'remote_fetch_queued', 'in_progress', ...endedStatuses],
    to: ['uncertain'],
    sets: ['dialled_at', 'check_at', 'checks'],
  },
  /** The call was placed after the backup from which the database was restored. */
  mark_lost: { from: ['created', 'queued'], to: ['uncertain'], sets: ['dialled_at', 'check_at', 'checks'] },
} as const satisfies Readonly<Record<string, Move>>;

export type PhoneCallMove = keyof typeof phoneCallMoves;

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

/** What a client may ask of a phone call. The worker and the provider's webhooks move it on from there. */
export const phoneCallMachine = {
  queue: { from: ['created'], to: 'queued' },
  queue_remote_fetch: { from: ['remotely_queued'], to: 'remote_fetch_queued' },
} as const satisfies Transitions<PhoneCallStatus>;

/** In these the provider may still have something to tell: a call that stays silent in one of them is asked after. */
export const awaitedStatuses = [
  'remotely_queued',
  'remote_fetch_queued',
  'in_progress',
  'uncertain',
] as const satisfies PhoneCallStatus[];

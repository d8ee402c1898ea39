import type { BatchOperationStatus } from '../batch-operations/batch-operation.machine.js';
import type { CalloutStatus } from '../callouts/callout.machine.js';
import type { PhoneCallStatus } from '../phone-calls/phone-call.machine.js';

/** The types of records that have events. */
export const resourceTypes = ['callout', 'batch_operation', 'phone_call', 'contact'] as const;
export type ResourceType = (typeof resourceTypes)[number];

/** The types of events for statuses. No record returns to its initial status, so that one has no event. */
type StatusEventType =
  | `callout.${Exclude<CalloutStatus, 'initialized'>}`
  | `batch_operation.${Exclude<BatchOperationStatus, 'preview'>}`
  | `phone_call.${Exclude<PhoneCallStatus, 'created'>}`;

export type EventType = StatusEventType | 'contact.opted_out' | 'contact.opted_in';

/** Every type of event, with its meaning. The OpenAPI document contains these texts. */
export const eventTypes: Readonly<Record<EventType, string>> = {
  'callout.scheduled': 'The callout was started or resumed, and will begin at its `starts_at`.',
  'callout.running': 'The callout was started or resumed, or began at its `starts_at`.',
  'callout.paused': 'The callout was paused, by a client or because the provider refuses its calls.',
  'callout.stopped': 'The callout was stopped.',
  'callout.completed': 'The callout is complete: nobody is left to be called, or it has expired.',
  'batch_operation.queued': 'The batch operation was queued, for the first time or again.',
  'batch_operation.running': 'A worker began the batch operation.',
  'batch_operation.finished': 'The batch operation has finished.',
  'batch_operation.failed': 'The batch operation has failed; its `error` says why.',
  'phone_call.queued': 'The phone call was queued to be dialed, for the first time or again.',
  'phone_call.remotely_queued': 'The provider accepted the phone call.',
  'phone_call.remote_fetch_queued': 'A client asked to fetch the state of the phone call from the provider.',
  'phone_call.in_progress': 'The phone is ringing, or was answered; an inbound call has arrived.',
  'phone_call.busy': 'The line was busy.',
  'phone_call.failed': 'The provider could not connect the phone call.',
  'phone_call.not_answered': 'Nobody answered.',
  'phone_call.canceled': 'The phone call was canceled before it was answered.',
  'phone_call.completed': 'The phone call was answered and has ended.',
  'phone_call.errored': 'The phone call could not be placed; its `remote_error_message` says why.',
  'phone_call.uncertain': 'It is unknown whether the provider accepted the phone call.',
  'contact.opted_out': 'The contact asked for no more calls: `do_not_call` was set in the metadata.',
  'contact.opted_in': 'The contact accepts calls again.',
};

import type { PhoneCallStatus } from './phone-call.machine.js';

/** The provider's state of a call, from a webhook or a lookup. */
export interface RemoteUpdate {
  /** The provider's status: `queued`, `ringing`, `completed`… */
  remoteStatus: string | undefined;
  /** The `SequenceNumber` of a status callback, which increases with each callback of a call. */
  sequence?: number;
}

/** The columns of a call that decide what an update from the provider changes. */
export interface KnownState {
  status: PhoneCallStatus;
  remote_status: string | null;
  sequence_number: number | null;
}

/**
 * The provider's statuses in their order, with the statuses to which they lead. Source: Twilio's Call resource, "Call
 * Status Values".
 */
const remoteStatuses: Readonly<Record<string, { rank: number; status?: PhoneCallStatus }>> = {
  queued: { rank: 0 },
  initiated: { rank: 1 },
  ringing: { rank: 2, status: 'in_progress' },
  'in-progress': { rank: 3, status: 'in_progress' },
  completed: { rank: 4, status: 'completed' },
  busy: { rank: 4, status: 'busy' },
  failed: { rank: 4, status: 'failed' },
  'no-answer': { rank: 4, status: 'not_answered' },
  canceled: { rank: 4, status: 'canceled' },
};

/**
 * Decides to which status an update leads. A late or repeated update never moves a call back. A final status replaces
 * another only if its sequence number is higher. A call without a provider status accepts any update, because its
 * status (queued, uncertain, errored) is only assumed.
 * @returns undefined when the update is not newer than the known state
 */
export function statusAfter(known: KnownState, { remoteStatus, sequence }: RemoteUpdate): PhoneCallStatus | undefined {
  const next = Object.hasOwn(remoteStatuses, remoteStatus ?? '') ? remoteStatuses[remoteStatus!] : undefined;
  if (!next) return undefined;
  const current = remoteStatuses[known.remote_status ?? ''];
  const isNewer =
    current === undefined ||
    next.rank > current.rank ||
    (next.rank === current.rank && sequence !== undefined && sequence > (known.sequence_number ?? -1));
  if (!isNewer) return undefined;
  return next.status ?? 'remotely_queued';
}

/**
 * Decides the state of a call after an update. An update that is not newer keeps the status, except for the `assumed`
 * ones: the update shows that the provider has the call, so they become `remotely_queued`.
 */
export function stateAfter(
  known: KnownState,
  update: RemoteUpdate,
  assumed: readonly PhoneCallStatus[],
): { status: PhoneCallStatus; remoteStatus: string | null } {
  const newStatus = statusAfter(known, update);
  const remoteStatus = (newStatus ? update.remoteStatus : known.remote_status) ?? null;
  return {
    status: newStatus ?? (assumed.includes(known.status) ? 'remotely_queued' : known.status),
    remoteStatus,
  };
}

import type { PhoneCallStatus } from './phone-call.machine.js';

/** What the provider says of a call, by webhook or when asked. */
export interface RemoteUpdate {
  /** In the provider's words: `queued`, `ringing`, `completed`… */
  remoteStatus: string | undefined;
  /** Rises with each callback of a call, where the provider gives one. */
  sequence?: number;
}

/** Where a call stands, as far as news of it are concerned. */
export interface KnownState {
  status: PhoneCallStatus;
  remote_status: string | null;
  sequence_number: number | null;
}

/** The course of a call in the provider's words, and what it is in ours. Source: Twilio's Call resource, "Call Status Values". */
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
 * The status that news lead to, or undefined when they tell nothing new: news that come late or twice never take a call back. One end
 * takes the place of another only when the provider's own numbering says that it came later. A status that we merely assumed (queued,
 * uncertain, errored) gives way to whatever the provider knows.
 */
export function statusAfter(
  standing: KnownState,
  { remoteStatus, sequence }: RemoteUpdate,
): PhoneCallStatus | undefined {
  const news = Object.hasOwn(remoteStatuses, remoteStatus ?? '') ? remoteStatuses[remoteStatus!] : undefined;
  if (!news) return undefined;
  const known = remoteStatuses[standing.remote_status ?? ''];
  const newer =
    known === undefined ||
    news.rank > known.rank ||
    (news.rank === known.rank && sequence !== undefined && sequence > (standing.sequence_number ?? -1));
  if (!newer) return undefined;
  return news.status ?? 'remotely_queued';
}

/**
 * Where a call stands after news of it. News that tell nothing new leave it where it is, unless that was one of `assumed`: then that the
 * provider speaks of it is what is known.
 */
export function stateAfter(
  standing: KnownState,
  news: RemoteUpdate,
  assumed: readonly PhoneCallStatus[],
): { status: PhoneCallStatus; remoteStatus: string | null } {
  const heard = statusAfter(standing, news);
  const remoteStatus = (heard ? news.remoteStatus : standing.remote_status) ?? null;
  return {
    status: heard ?? (assumed.includes(standing.status) ? 'remotely_queued' : standing.status),
    remoteStatus,
  };
}

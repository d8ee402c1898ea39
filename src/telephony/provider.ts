import type { Metadata } from '../metadata/metadata.js';

/** A call as the provider shows it: Twilio's Call resource, in snake case. Source: Twilio's OpenAPI document, `api.v2010.account.call`. */
export interface RemoteCall extends Metadata {
  sid: string;
  status: string;
  direction?: string;
}

/** The provider refused a request and never acted on it. `code` is the provider's, or the HTTP status where it gives none. */
export interface Refusal {
  outcome: 'refused' | 'misconfigured';
  code: string;
  message: string;
}

/**
 * What came of a request to place a call:
 * - `accepted`: the provider has it;
 * - `refused`: the provider will not place it; `message` says why;
 * - `misconfigured`: the same, because of a setting that is not about the person called;
 * - `postponed`: the provider did not act on it, and it may be sent again;
 * - `unreachable`: nobody was there to take it, and it may be sent again;
 * - `barred`: this account can place no call at all now, and this one was not acted on;
 * - `unknown`: the provider may or may not have taken it, and it must not be sent again.
 */
export type Placement =
  | { outcome: 'accepted'; call: RemoteCall }
  | Refusal
  | { outcome: 'postponed' | 'unreachable' | 'barred' | 'unknown'; message: string };

/** The provider of phone calls: Twilio, or whoever speaks its REST API. */
export abstract class Provider {
  /**
   * Asks, once, for a call with Twilio's parameters in snake case. It never throws: whatever happens is an outcome.
   */
  abstract place(parameters: Metadata): Promise<Placement>;

  /**
   * The call with this id, or undefined when the provider knows none.
   * @throws Error when the provider cannot tell now
   */
  abstract find(sid: string): Promise<RemoteCall | undefined>;

  /**
   * The latest outbound calls to a number, oldest first, whether they have started to ring or still wait in the provider's queue.
   * @throws Error when the provider cannot tell now
   */
  abstract callsTo(msisdn: string): Promise<RemoteCall[]>;

  /**
   * All outbound calls that the provider lists, newest first, page by page. A page is fetched when it is asked for.
   * @throws Error when the provider cannot tell now
   */
  abstract latestCalls(): AsyncIterable<RemoteCall[]>;
}

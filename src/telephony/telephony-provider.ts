import type { Metadata } from '../metadata/metadata.js';

/**
 * A call as the provider shows it: Twilio's Call resource, in snake case. Source: Twilio's OpenAPI document,
 * `api.v2010.account.call`.
 */
export interface RemoteCall extends Metadata {
  sid: string;
  status: string;
  direction?: string;
}

/**
 * The provider refused a request and did not act on it. `code` is the provider's, or the HTTP status if it gives none.
 */
export interface Refusal {
  outcome: 'refused' | 'misconfigured';
  code: string;
  message: string;
}

/**
 * The outcome of a request to place a call:
 * - `accepted`: the provider has the call;
 * - `refused`: the provider will not place it; `message` says why;
 * - `misconfigured`: refused because of a setting, not because of the person called;
 * - `postponed`: the provider did not act on it, and it may be sent again;
 * - `unreachable`: the request did not reach the provider, and may be sent again;
 * - `barred`: the account cannot place any call now; the provider did not act on this one;
 * - `unknown`: the provider may have accepted it, so it must not be sent again.
 */
export type Placement =
  | { outcome: 'accepted'; call: RemoteCall }
  | Refusal
  | { outcome: 'postponed' | 'unreachable' | 'barred' | 'unknown'; message: string };

/** The telephony provider: Twilio, or another one with the same REST API. */
export abstract class TelephonyProvider {
  /**
   * Requests a call, once. Never throws: every failure is an outcome.
   * @param parameters Twilio's, in snake case
   */
  abstract placeCall(parameters: Metadata): Promise<Placement>;

  /**
   * Returns the call with this id, or undefined if the provider knows none.
   * @throws Error if the provider does not answer, or answers with an error
   */
  abstract fetchCall(sid: string): Promise<RemoteCall | undefined>;

  /**
   * Returns the latest outbound calls to a number, oldest first, including those that wait in the provider's queue.
   * @throws Error if the provider does not answer, or answers with an error
   */
  abstract listCallsTo(msisdn: string): Promise<RemoteCall[]>;

  /**
   * Iterates over all outbound calls that the provider lists, newest first, page by page. Each page is fetched on
   * demand.
   * @throws Error if the provider does not answer, or answers with an error
   */
  abstract listCalls(): AsyncIterable<RemoteCall[]>;
}

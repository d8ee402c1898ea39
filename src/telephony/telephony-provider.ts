import type { Metadata } from '../metadata/metadata.js';
import type { EndStatus } from './end-status.js';

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
 * The outcome of a request that did not succeed:
 * - `refused`: the provider will not act on it; `message` says why;
 * - `misconfigured`: refused because of a setting, not because of the person called;
 * - `postponed`: the provider did not act on it, and it may be sent again;
 * - `unreachable`: the request did not reach the provider, and may be sent again;
 * - `barred`: the account cannot do this with any call now; the provider did not act on this one;
 * - `unknown`: the provider may have acted on it.
 */
export type Failure = Refusal | { outcome: 'postponed' | 'unreachable' | 'barred' | 'unknown'; message: string };

/**
 * The outcome of a request to place a call. `accepted`: the provider has the call. After the failure `unknown` it must
 * not be sent again, because the provider may have accepted it.
 */
export type Placement = { outcome: 'accepted'; call: RemoteCall } | Failure;

/**
 * The outcome of a request to end a call:
 * - `ended`: the provider ends the call. It may do so after its response, so the status of `call` is not always final;
 * - `not_cancelable`: the call was already answered, and the request was to cancel it;
 * - `already_ended`: the call was over before. `call` says how, if the provider shows it;
 * - `not_found`: the provider knows no such call.
 *
 * Unlike a request to place a call, it may be sent again after any failure, also after `unknown`: at worst the call is
 * then `already_ended`.
 */
export type Ending =
  | { outcome: 'ended' | 'not_cancelable'; call: RemoteCall }
  | { outcome: 'already_ended'; call?: RemoteCall }
  | { outcome: 'not_found' }
  | Failure;

/** The telephony provider: Twilio, or another one with the same REST API. */
export abstract class TelephonyProvider {
  /**
   * Requests a call, once. Never throws: every failure is an outcome.
   * @param parameters Twilio's, in snake case
   */
  abstract placeCall(parameters: Metadata): Promise<Placement>;

  /**
   * Requests the end of a call, once. Never throws: every failure is an outcome. Safe to repeat, unlike
   * {@link placeCall}.
   *
   * With `canceled`, Twilio ends a call that is queued or ringing, and leaves one that was answered alone. Somleng ends
   * that one too, although its response still says `in-progress`. With `completed`, both end a call in any state.
   * Sources: Twilio's parameter `Status` at
   * https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource, and Somleng's
   * https://github.com/somleng/somleng/blob/main/app/workflows/update_phone_call.rb
   */
  abstract endCall(sid: string, status: EndStatus): Promise<Ending>;

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

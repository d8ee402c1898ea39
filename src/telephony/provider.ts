import type { Metadata } from '../metadata/metadata.js';

/** A call as the provider shows it: Twilio's Call resource, in snake case. Source: Twilio's OpenAPI document, `api.v2010.account.call`. */
export interface RemoteCall extends Metadata {
  sid: string;
  status: string;
  direction?: string;
}

/**
 * What became of a request to place a call:
 * - `accepted`: the provider has it;
 * - `refused`: it never will, whatever is done; `message` says why;
 * - `postponed`: it was refused without being acted on, and may be sent again;
 * - `barred`: no call at all can be placed by this account now, this one was not acted on;
 * - `unknown`: the provider may or may not have taken it, and it must not be sent again.
 */
export type Placement =
  | { outcome: 'accepted'; call: RemoteCall }
  | { outcome: 'refused' | 'postponed' | 'barred' | 'unknown'; message: string };

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
   * The calls from us to a number since a time, oldest first.
   * @throws Error when the provider cannot tell now
   */
  abstract callsTo(msisdn: string, since: Date): Promise<RemoteCall[]>;
}

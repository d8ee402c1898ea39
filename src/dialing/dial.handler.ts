import { Injectable, Logger } from '@nestjs/common';
import { NothingToSay } from '../call-flows/call-flow.js';
import { Conversations } from '../call-flows/conversations.js';
import { OwnAddress } from '../http/own-address.js';
import { booleanOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { RateLimiter } from './rate-limiter.js';
import { type ClaimedCall, DialClaims } from './dial-claims.js';
import { type DialResult, DialResults } from './dial-results.js';
import { faultPoint } from './fault-points.js';
import { sendableParams } from '../phone-calls/remote-request-params.js';
import { Provider } from '../telephony/provider.js';

/** All of a call's course. Source: Twilio's create-call parameter `StatusCallbackEvent`. */
const ALL_EVENTS = ['initiated', 'ringing', 'answered', 'completed'];

/**
 * After so many requests in a row of which the provider's answer is not known, dialing pauses: the provider is in
 * trouble.
 */
const MAX_UNKNOWN_IN_A_ROW = 10;

/** Dials a call: claims its row; then, and only then, asks the provider; then records what came of it. */
@Injectable()
export class DialHandler {
  private readonly logger = new Logger('Dial');
  private unknownInARow = 0;

  constructor(
    private readonly claims: DialClaims,
    private readonly results: DialResults,
    private readonly provider: Provider,
    private readonly rateLimiter: RateLimiter,
    private readonly address: OwnAddress,
    private readonly conversations: Conversations,
  ) {}

  /** Does nothing when the call is not to be dialled at this time, whoever says so. */
  async handle(id: number, at: number): Promise<void> {
    const origin = await this.address.outside();
    const call = await this.claims.claim(id, at);
    if (!call) return;
    faultPoint('claimed');
    const result = await this.place(call, origin);
    faultPoint('placed');
    await this.results.record(call, result);
    faultPoint('recorded');
    await this.slowDown(result);
  }

  /** What the client has chosen goes before what is ours; but our own address is asked as it wants to be asked. */
  private async place(call: ClaimedCall, origin: string): Promise<DialResult> {
    const { msisdn } = call;
    const given = sendableParams(call.remote_request_params);
    let ours: Metadata;
    try {
      ours = this.saying(call, given, origin);
    } catch (error) {
      // Nothing was sent: a flow that has nothing to say, or fails, is no reason to ring anybody.
      const reason =
        error instanceof NothingToSay ? error.message : `The call flow failed (${(error as Error).message})`;
      return { outcome: 'unsendable', message: `${reason}: nobody was called.` };
    }
    const webhook = Conversations.webhookOf(origin, call.id);
    const asksWho = booleanOf(given.async_amd) === true;
    const told = {
      ...(!('status_callback' in given) && { status_callback: webhook, status_callback_event: ALL_EVENTS }),
      ...(asksWho && !('async_amd_status_callback' in given) && { async_amd_status_callback: webhook }),
    };
    const byPost = {
      ...('url' in ours && { method: 'POST' }),
      ...('status_callback' in told && { status_callback_method: 'POST' }),
      ...('async_amd_status_callback' in told && { async_amd_status_callback_method: 'POST' }),
    };
    return this.provider.place({ ...ours, ...told, ...given, ...byPost, to: msisdn });
  }

  /**
   * What is said, unless the client has chosen that: the call flow's first document, or where it is asked for.
   * @throws NothingToSay
   */
  private saying(call: ClaimedCall, given: Metadata, origin: string): Metadata {
    if ('url' in given || 'twiml' in given || 'application_sid' in given) return {};
    const twiml = this.conversations.opening(call.staged, call, origin);
    return twiml ? { twiml } : { url: Conversations.webhookOf(origin, call.id) };
  }

  /**
   * Pauses dialing where more requests would come to nothing. The reason is for people; there is none where only a
   * moment is waited.
   */
  private async slowDown(result: DialResult): Promise<void> {
    this.unknownInARow = result.outcome === 'unknown' ? this.unknownInARow + 1 : 0;
    const reason = this.reasonToPause(result);
    if (reason === undefined) return;
    this.logger.warn(reason ?? 'The provider takes no more calls for a moment (429)');
    await this.rateLimiter.pause('dial', reason);
  }

  private reasonToPause(result: DialResult): string | null | undefined {
    switch (result.outcome) {
      case 'barred':
        return result.message;
      case 'unreachable':
        return `The provider cannot be reached: ${result.message}`;
      case 'postponed':
        return null;
      case 'unknown':
        if (this.unknownInARow < MAX_UNKNOWN_IN_A_ROW) return undefined;
        return `The provider does not answer as it should: ${result.message}`;
      default:
        return undefined;
    }
  }
}

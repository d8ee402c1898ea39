import { Injectable, Logger } from '@nestjs/common';
import { CallFlowRunner } from '../call-flows/call-flow-runner.js';
import { NothingToSayError } from '../call-flows/call-flow.js';
import { isWebhookUrl } from '../call-flows/own-webhook.js';
import { webhookUrl } from '../call-flows/webhook-url.js';
import { PublicUrl } from '../telephony/public-url.js';
import { type JobHandler, JobTask } from '../jobs/job-handler.js';
import { booleanOf, textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { RateLimiter } from './rate-limiter.js';
import { type ClaimedCall, DialClaims } from './dial-claims.js';
import { type DialResult, DialResults } from './dial-results.js';
import { FailurePauses } from './failure-pauses.js';
import { faultPoint } from './fault-points.js';
import { sendableParams } from '../phone-calls/remote-request-params.js';
import { TelephonyProvider } from '../telephony/telephony-provider.js';

/** All events of a call. Source: Twilio's create-call parameter `StatusCallbackEvent`. */
const ALL_EVENTS = ['initiated', 'ringing', 'answered', 'completed'];

/** Dials a call: claims its row, sends the request to the provider, and records the result, in this order. */
@Injectable()
@JobTask('dial', { concurrency: 100 })
export class DialHandler implements JobHandler {
  private readonly pauses: FailurePauses;

  constructor(
    private readonly claims: DialClaims,
    private readonly results: DialResults,
    private readonly provider: TelephonyProvider,
    rateLimiter: RateLimiter,
    private readonly publicUrl: PublicUrl,
    private readonly callFlowRunner: CallFlowRunner,
  ) {
    this.pauses = new FailurePauses(rateLimiter, 'dial', new Logger('Dial'));
  }

  /**
   * Dials a call. Does nothing if the call must not be dialed at this time.
   * @param id the id of the call
   * @param at when its slot begins (ms of the database clock)
   */
  async handle(id: number, at: number): Promise<void> {
    const origin = await this.publicUrl.get();
    const call = await this.claims.claim(id, at);
    if (!call) return;
    faultPoint('claimed');
    const result = await this.placeCall(call, origin);
    faultPoint('placed');
    await this.results.record(call, result);
    faultPoint('recorded');
    await this.pauses.after(result);
  }

  /**
   * Places the call. The client's parameters take precedence over the default ones, except that requests to our own
   * webhook always use POST.
   */
  private async placeCall(call: ClaimedCall, origin: string): Promise<DialResult> {
    const { msisdn } = call;
    const given = sendableParams(call.remote_request_params);
    let twiml: Metadata;
    try {
      twiml = await this.twimlParams(call, given, origin);
    } catch (error) {
      // If the flow has nothing to say, or fails, no request is sent.
      const reason =
        error instanceof NothingToSayError ? error.message : `The call flow failed (${(error as Error).message})`;
      return { outcome: 'unsendable', message: `${reason}: nobody was called.` };
    }
    const webhook = webhookUrl(origin, call.id);
    const detectsMachines = booleanOf(given.async_amd) === true;
    const callbacks = {
      ...(!('status_callback' in given) && { status_callback: webhook, status_callback_event: ALL_EVENTS }),
      ...(detectsMachines && !('async_amd_status_callback' in given) && { async_amd_status_callback: webhook }),
    };
    const methods = {
      ...('url' in twiml && { method: 'POST' }),
      ...('status_callback' in callbacks && { status_callback_method: 'POST' }),
      ...('async_amd_status_callback' in callbacks && { async_amd_status_callback_method: 'POST' }),
    };
    return this.provider.placeCall({ ...twiml, ...callbacks, ...given, ...methods, to: msisdn });
  }

  /**
   * The parameters that select the source of the call's TwiML. The client's `twiml`, `application_sid`, or a `url` of
   * another server replace the call flow. A `url` that is our own webhook uses the call flow, which must be ready.
   * @returns the call flow's first document, or the URL of our webhook; empty if the client's parameters suffice
   * @throws NothingToSayError if the call uses the call flow and the callout is not ready for it
   */
  private async twimlParams(call: ClaimedCall, given: Metadata, origin: string): Promise<Metadata> {
    const isChosen = 'url' in given || 'twiml' in given || 'application_sid' in given;
    if (isChosen && !(await this.isOwnWebhook(given.url))) return {};
    const twiml = this.callFlowRunner.inlineTwiml(call.loaded, call, origin);
    if (isChosen) return { url: given.url };
    return twiml ? { twiml } : { url: webhookUrl(origin, call.id) };
  }

  /** @param url the client's request parameter: a text, or a list of texts */
  private async isOwnWebhook(url: unknown): Promise<boolean> {
    const addresses = await this.publicUrl.all();
    return [url].flat().some((one) => isWebhookUrl(textOf(one) ?? '', addresses));
  }
}

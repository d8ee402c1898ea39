import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { answeredStep } from '../call-flows/webhook-url.js';
import { PublicUrl } from '../telephony/public-url.js';
import { XmlResponse } from '../api/xml-response.js';
import { ProviderAccounts } from '../telephony/provider-accounts.js';
import { assertUsable } from './webhook-validation.js';
import { WebhookProcessor } from './webhook-processor.js';
import { type RawWebhook, readSignedWebhook } from './webhook.js';

/** Verifies webhooks of the provider, and has them processed. */
@Injectable()
export class WebhookService {
  constructor(
    private readonly processor: WebhookProcessor,
    private readonly publicUrl: PublicUrl,
    private readonly accounts: ProviderAccounts,
  ) {}

  /**
   * Handles a webhook.
   * @returns the TwiML to perform, with the path of the stored event
   * @throws InvalidSignatureError if none of our accounts signed it; nothing is stored
   * @throws UnusableWebhookError if its call is unknown, or its parameters are missing or invalid
   * @throws BadRequestError if its body cannot be read
   */
  async handle(webhook: RawWebhook): Promise<XmlResponse> {
    const origin = await this.publicUrl.get();
    const url = `${origin}${webhook.path}`;
    const signed = readSignedWebhook(webhook, url, this.accounts.trusted);
    const query = new URL(url).searchParams;
    const sid = assertUsable(signed, query);
    const { details } = signed;
    const delivery = deliveryKey(sid, query, webhook.signature);
    const { id, twiml } = await this.processor.process({ sid, details, query, origin, delivery });
    return new XmlResponse(twiml, `/api/remote_phone_call_events/${id}`);
  }
}

/**
 * Returns the key of an event, which every delivery of the event has. If the webhook answers a step of the call, the
 * key is that step, which happens once. Otherwise it is the signature, which depends on the URL and all parameters.
 * Twilio's `I-Twilio-Idempotency-Token` is not used, because it is not signed: a captured webhook can be sent again
 * with another token.
 */
function deliveryKey(sid: string, query: URLSearchParams, signature: string): string {
  const step = answeredStep(query);
  const event = step === undefined ? ['signed', signature] : [sid, 'step', step];
  return createHash('sha256').update(JSON.stringify(event)).digest('base64url');
}

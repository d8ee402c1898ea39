import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { answeredStep } from '../call-flows/webhook-url.js';
import { PublicUrl } from '../telephony/public-url.js';
import { XmlAnswer } from '../api/xml-answer.js';
import { ProviderAccounts } from '../telephony/provider-accounts.js';
import { assertUsable } from './webhook-validation.js';
import { WebhookProcessor } from './webhook-processor.js';
import { type RawWebhook, readSignedWebhook } from './webhook.js';

/** Answers what the provider tells us. */
@Injectable()
export class WebhookService {
  constructor(
    private readonly hearings: WebhookProcessor,
    private readonly publicUrl: PublicUrl,
    private readonly accounts: ProviderAccounts,
  ) {}

  /**
   * Answers a webhook as it came in with the TwiML that is to be performed.
   * @throws InvalidSignatureError when no account of ours has signed it: nothing is stored
   * @throws UnusableWebhookError
   * @throws BadRequestError
   */
  async handle(webhook: RawWebhook): Promise<XmlAnswer> {
    const origin = await this.publicUrl.get();
    const url = `${origin}${webhook.path}`;
    const signed = readSignedWebhook(webhook, url, this.accounts.trusted);
    const query = new URL(url).searchParams;
    const sid = assertUsable(signed, query);
    const { details } = signed;
    const delivery = deliveryKey(sid, query, webhook.signature);
    const { id, twiml } = await this.hearings.process({ sid, details, query, origin, delivery });
    return new XmlAnswer(twiml, `/api/remote_phone_call_events/${id}`);
  }
}

/**
 * The same for each delivery of one event: the step of the conversation, of which there is one; or else the signature,
 * which is the same for what is the same in everything that is signed. (Twilio's `I-Twilio-Idempotency-Token` is not
 * signed: anybody may send a captured webhook again with another one.)
 */
function deliveryKey(sid: string, query: URLSearchParams, signature: string): string {
  const step = answeredStep(query);
  const event = step === undefined ? ['signed', signature] : [sid, 'step', step];
  return createHash('sha256').update(JSON.stringify(event)).digest('base64url');
}

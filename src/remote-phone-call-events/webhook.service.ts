import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { Conversations } from '../call-flows/conversations.js';
import { Forged, UnusableWebhook } from '../http/errors.js';
import { OwnAddress } from '../http/own-address.js';
import { XmlAnswer } from '../http/xml-answer.js';
import type { Metadata } from '../metadata/metadata.js';
import { ProviderAccounts } from '../telephony/provider-accounts.js';
import { Hearings } from './hearings.js';
import { type RawWebhook, isSigned, parametersOf } from './webhook.js';

/** Answers what the provider tells us. */
@Injectable()
export class WebhookService {
  constructor(
    private readonly hearings: Hearings,
    private readonly address: OwnAddress,
    private readonly accounts: ProviderAccounts,
  ) {}

  /**
   * Answers a webhook as it came in with the TwiML that is to be performed.
   * @throws Forged when no account of ours has signed it: nothing is stored
   * @throws UnusableWebhook
   * @throws Unreadable
   */
  async answer(webhook: RawWebhook): Promise<XmlAnswer> {
    const origin = await this.address.outside();
    const url = `${origin}${webhook.path}`;
    const details = parametersOf(webhook);
    if (!isSigned(webhook, url, details, this.accounts.trusted)) throw new Forged();
    const sid = details.CallSid;
    if (typeof sid !== 'string' || sid === '') throw new UnusableWebhook("CallSid can't be blank");
    const query = new URL(url).searchParams;
    const delivery = deliveryKey(details, query, webhook.deliveryToken);
    const { id, twiml } = await this.hearings.hear({ sid, details, query, origin, delivery });
    return new XmlAnswer(twiml, `/api/remote_phone_call_events/${id}`);
  }
}

/**
 * The same for each delivery of one event: the step of the conversation, of which there is one; or the provider's token; or else what makes
 * the event what it is.
 */
function deliveryKey(details: Metadata, query: URLSearchParams, token: string | undefined): string {
  const { CallSid, CallStatus, SequenceNumber, Digits } = details;
  const step = Conversations.stepOf(query);
  const told = token ? [CallSid, token] : [CallSid, CallStatus, SequenceNumber, Digits, query.toString()];
  const event = step === undefined ? told : [CallSid, 'step', step];
  return createHash('sha256').update(JSON.stringify(event)).digest('base64url');
}

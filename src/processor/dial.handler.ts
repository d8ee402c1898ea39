import { Injectable, Logger } from '@nestjs/common';
import { OwnAddress } from '../http/own-address.js';
import type { Metadata } from '../metadata/metadata.js';
import { Paces } from '../pace/paces.js';
import { Dials } from '../phone-calls/dials.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import { faultPoint } from '../phone-calls/fault-points.js';
import { type Placement, Provider } from '../telephony/provider.js';

/** All of a call's course. Source: Twilio's create-call parameter `StatusCallbackEvent`. */
const ALL_EVENTS = ['initiated', 'ringing', 'answered', 'completed'];

/** Dials a call: claims its row; then, and only then, asks the provider; then records what became of it. */
@Injectable()
export class DialHandler {
  private readonly logger = new Logger('Dial');

  constructor(
    private readonly dials: Dials,
    private readonly provider: Provider,
    private readonly paces: Paces,
    private readonly address: OwnAddress,
  ) {}

  /** Does nothing when the call is not to be dialled at this time, whoever says so. */
  async handle(id: number, at: number): Promise<void> {
    const webhook = `${await this.address.outside()}/api/remote_phone_call_events?phone_call_id=${id}`;
    const call = await this.dials.claim(id, at);
    if (!call) return;
    faultPoint('claimed');
    const placement = await this.provider.place(request(call, webhook));
    faultPoint('placed');
    await this.dials.record(call, placement);
    faultPoint('recorded');
    await this.slowDown(placement);
  }

  private async slowDown(placement: Placement): Promise<void> {
    if (placement.outcome !== 'barred' && placement.outcome !== 'postponed') return;
    const { outcome, message } = placement;
    this.logger.warn(`${outcome === 'barred' ? 'No call can be placed' : 'A call was put off'}: ${message}`);
    await this.paces.pause('dial', outcome === 'barred' ? message : null);
  }
}

/** What the provider is asked for. Our own id stands in the callback's URL, so that a callback finds its call before the answer does. */
function request({ remote_request_params: given, msisdn }: PhoneCall, webhook: string): Metadata {
  const ours =
    'url' in given || 'twiml' in given || 'application_sid' in given
      ? {}
      : { url: webhook, status_callback: webhook, status_callback_event: ALL_EVENTS };
  return { ...ours, ...given, to: msisdn };
}

import { randomUUID } from 'node:crypto';
import { DateTime } from 'luxon';
import type { Outcome } from './outcomes.js';
import { type Verb, TwimlError, readTwiml } from './twiml.js';
import type { Webhooks } from './webhooks.js';

/** What was asked of the provider with a call. */
export interface CallRequest {
  to: string;
  from: string;
  direction: 'outbound-api' | 'inbound';
  url?: string;
  method: string;
  twiml?: string;
  statusCallback?: string;
  statusCallbackEvents: string[];
  /** The call waits until it is known whether a machine has answered. */
  detectsMachines: boolean;
  /** Where it is told who answered, while the call goes on. */
  tellsWhoAnswered?: string;
  /** Another party on the same account asked for it. */
  isForeign?: boolean;
}

/** One thing that happened in a call, for whoever wants to read it afterwards. */
type Spoken = {
  said?: string;
  played?: string;
  asked?: string;
  pressed?: string;
  fetched?: string;
  error?: string;
};

const FINAL = ['completed', 'busy', 'no-answer', 'failed', 'canceled'];
/** Source: https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent: `completed` is sent for every end. */
const EVENT_OF: Readonly<Record<string, string>> = {
  initiated: 'initiated',
  ringing: 'ringing',
  'in-progress': 'answered',
};
const SIP: Readonly<Record<string, string>> = { completed: '200', busy: '486', 'no-answer': '487', failed: '404' };
const MOST_DOCUMENTS = 100;
/** The longest that a verb may wait, in seconds: the longest that Twilio lets a call last. */
const LONGEST_PAUSE = 14_400;
const MACHINE = 'machine_start';

/** A call in the simulator's world, from the request to its end. */
export class SimulatedCall {
  readonly sid = `CA${randomUUID().replaceAll('-', '')}`;
  readonly createdAt = DateTime.utc();
  readonly transcript: Spoken[] = [];
  status = 'queued';
  private startedAt?: DateTime;
  private endedAt?: DateTime;
  private answeredAt?: DateTime;
  private sequence = 0;
  private questions = 0;
  private documents = 0;
  private hungUp = false;

  constructor(
    private readonly accountSid: string,
    readonly request: CallRequest,
    private readonly outcome: Outcome,
    /** Seconds for which the call is queued before it is dialed. */
    private readonly queueSeconds: number,
    private readonly webhooks: Webhooks,
    private readonly wait: (seconds: number) => Promise<void>,
  ) {}

  get isOver(): boolean {
    return FINAL.includes(this.status);
  }

  /** Undefined until the call is dialed. Source: Twilio's OpenAPI document, `start_time`. */
  get startTime(): DateTime | undefined {
    return this.startedAt;
  }

  /** Undefined unless the call was answered and is over. Source: Twilio's OpenAPI document, `end_time`. */
  get endTime(): DateTime | undefined {
    return this.status === 'completed' ? this.endedAt : undefined;
  }

  /** Lives the call to its end. */
  async live(): Promise<void> {
    if (this.request.direction === 'outbound-api') {
      await this.wait(this.queueSeconds + 0.2);
      if (!this.move('initiated', { keeps: 'queued' })) return;
      await this.wait(0.5);
      this.startedAt = DateTime.utc();
      if (!this.move('ringing')) return;
      await this.wait(this.outcome.ring);
      if (this.outcome.ending !== 'answered') {
        this.move(this.outcome.ending);
        return;
      }
    } else {
      this.startedAt = DateTime.utc();
      this.status = 'ringing';
    }
    const inbound = this.request.direction === 'inbound';
    this.answeredAt = DateTime.utc();
    if (!inbound && !this.move('in-progress')) return;
    this.tellWhoAnswered();
    if (!this.outcome.hangsUpAtOnce) await this.talk();
    this.move('completed');
  }

  /**
   * Ends the call from outside. `canceled` hangs up a call that is queued or ringing, and leaves one that was answered alone; `completed`
   * hangs up any. A call that is hung up before it is answered is canceled. Source: the parameter `Status` at
   * https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
   */
  end(status: 'canceled' | 'completed'): void {
    const isAnswered = !['queued', 'ringing'].includes(this.status);
    if (isAnswered && status === 'canceled') return;
    this.hungUp = true;
    this.move(isAnswered ? 'completed' : 'canceled');
  }

  /** As Twilio's Call resource. */
  show(): Record<string, unknown> {
    const uri = `/2010-04-01/Accounts/${this.accountSid}/Calls/${this.sid}`;
    const { to, from, direction } = this.request;
    return {
      sid: this.sid,
      date_created: this.createdAt.toRFC2822(),
      date_updated: (this.endedAt ?? this.startedAt ?? this.createdAt).toRFC2822(),
      parent_call_sid: null,
      account_sid: this.accountSid,
      to,
      to_formatted: to,
      from,
      from_formatted: from,
      phone_number_sid: null,
      status: this.status,
      start_time: this.startedAt?.toRFC2822() ?? null,
      end_time: this.endTime?.toRFC2822() ?? null,
      duration: this.endTime ? String(this.seconds()) : null,
      price: null,
      price_unit: 'USD',
      direction,
      answered_by: (this.request.tellsWhoAnswered ? this.whoAnswered() : this.answeredBy()) ?? null,
      api_version: '2010-04-01',
      forwarded_from: null,
      group_sid: null,
      caller_name: null,
      queue_time: String(Math.round(this.queueSeconds * 1_000)),
      trunk_sid: null,
      uri: `${uri}.json`,
      subresource_uris: Object.fromEntries(
        ['events', 'notifications', 'payments', 'recordings', 'siprec', 'streams', 'transcriptions'].map((name) => [
          name,
          `${uri}/${name[0]!.toUpperCase()}${name.slice(1)}.json`,
        ]),
      ),
    };
  }

  /** Moves on, and tells whoever asked to be told; false when the call has ended meanwhile. */
  private move(status: string, { keeps }: { keeps?: string } = {}): boolean {
    if (this.isOver) return false;
    this.status = keeps ?? status;
    const final = FINAL.includes(status);
    if (final) this.endedAt = DateTime.utc();
    const { statusCallback, statusCallbackEvents } = this.request;
    const event = final ? 'completed' : EVENT_OF[status];
    if (statusCallback && event && statusCallbackEvents.includes(event)) {
      const about = this.parameters(status, {
        Timestamp: DateTime.utc().toRFC2822(),
        CallbackSource: 'call-progress-events',
        SequenceNumber: String(this.sequence++),
        ...(final && {
          CallDuration: String(this.seconds()),
          Duration: String(Math.ceil(this.seconds() / 60)),
          SipResponseCode: SIP[status] ?? '487',
        }),
      });
      this.tell(statusCallback, about, final);
    }
    return true;
  }

  /** Source: https://www.twilio.com/docs/voice/answering-machine-detection, asynchronous detection. */
  private tellWhoAnswered(): void {
    const { tellsWhoAnswered: url } = this.request;
    if (!url) return;
    const AnsweredBy = this.whoAnswered() ?? '';
    const about = { CallSid: this.sid, AccountSid: this.accountSid, AnsweredBy, MachineDetectionDuration: '2400' };
    this.tell(url, about, false);
  }

  private tell(url: string, parameters: Record<string, string>, isLast: boolean): void {
    const onForbidden = ({ message }: Error): unknown => this.transcript.push({ error: message });
    this.webhooks.send({ sid: this.sid, url, parameters, isLast, onForbidden });
  }

  private async talk(): Promise<void> {
    const { twiml, url, method } = this.request;
    try {
      if (url) await this.perform(await this.fetch(url, method, {}), url);
      else if (twiml) await this.perform(readTwiml(twiml), undefined);
    } catch (error) {
      this.transcript.push({ error: (error as Error).message });
    }
  }

  private async fetch(url: string, method: string, more: Record<string, string>): Promise<Verb[]> {
    if (++this.documents > MOST_DOCUMENTS) throw new TwimlError('11205 too many documents');
    this.transcript.push({ fetched: url });
    const status = this.request.direction === 'inbound' && this.documents === 1 ? 'ringing' : 'in-progress';
    const verbs = readTwiml(await this.webhooks.ask(url, method, this.parameters(status, more)));
    if (!this.isOver) this.status = 'in-progress';
    return verbs;
  }

  /** Performs verbs until they end, or lead elsewhere. */
  private async perform(verbs: Verb[], base: string | undefined): Promise<void> {
    for (const verb of verbs) {
      if (this.hungUp) return;
      if (verb.name === 'Hangup' || verb.name === 'Reject') return;
      if (verb.name === 'Redirect') {
        return this.goTo(verb.text.trim() || base, base, verb, {});
      }
      if (verb.name !== 'Gather') {
        await this.speak(verb);
        continue;
      }
      const digits = await this.gather(verb);
      if (this.hungUp) return;
      if (digits !== '' || verb.attributes.actionOnEmptyResult === 'true') {
        return this.goTo(verb.attributes.action ?? base, base, verb, { Digits: digits });
      }
    }
  }

  /** Goes on with the document at `target`, as seen from that at `base`. */
  private async goTo(
    target: string | undefined,
    base: string | undefined,
    { attributes }: Verb,
    more: Record<string, string>,
  ): Promise<void> {
    const url = new URL(target ?? '', base).href;
    return this.perform(await this.fetch(url, attributes.method ?? 'POST', more), url);
  }

  private async speak({ name, text, attributes }: Verb): Promise<void> {
    if (name === 'Say') {
      this.transcript.push({ said: text });
      await this.wait(Math.max(1, text.length / 15));
    } else if (name === 'Play') {
      this.transcript.push({ played: text });
      await this.wait(10);
    } else {
      await this.wait(wholeOf(attributes.length, 1));
    }
  }

  private async gather({ attributes, children }: Verb): Promise<string> {
    for (const child of children) await this.speak(child);
    const pressed = this.outcome.keys[this.questions++];
    this.transcript.push({ asked: attributes.action ?? '', pressed: pressed ?? '' });
    if (pressed === 'hangup') {
      this.hungUp = true;
      return '';
    }
    if (pressed === undefined || pressed === '') {
      await this.wait(wholeOf(attributes.timeout, 5));
      return '';
    }
    await this.wait(2);
    const finish = attributes.finishOnKey ?? '#';
    const until = finish === '' ? pressed : pressed.split(finish)[0]!;
    return until.slice(0, wholeOf(attributes.numDigits, until.length));
  }

  private parameters(status: string, more: Record<string, string>): Record<string, string> {
    const { to, from, direction } = this.request;
    const answeredBy = this.answeredBy();
    return {
      CallSid: this.sid,
      AccountSid: this.accountSid,
      From: from,
      To: to,
      Caller: from,
      Called: to,
      CallStatus: status,
      ApiVersion: '2010-04-01',
      Direction: direction,
      ...(answeredBy && { AnsweredBy: answeredBy }),
      ...more,
    };
  }

  private answeredBy(): string | undefined {
    if (!this.request.detectsMachines || !this.answeredAt) return undefined;
    return this.whoAnswered();
  }

  private whoAnswered(): string | undefined {
    if (!this.answeredAt) return undefined;
    return this.outcome.machine ? MACHINE : 'human';
  }

  private seconds(): number {
    return this.answeredAt
      ? Math.max(1, Math.round((this.endedAt ?? DateTime.utc()).diff(this.answeredAt).as('seconds')))
      : 0;
  }
}

/** The whole number that an attribute is; what cannot be meant counts as left out. */
function wholeOf(attribute: string | undefined, fallback: number): number {
  return attribute && /^\d+$/.test(attribute) ? Math.min(Number(attribute), LONGEST_PAUSE) : fallback;
}

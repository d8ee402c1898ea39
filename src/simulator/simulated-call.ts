import { randomUUID } from 'node:crypto';
import { DateTime } from 'luxon';
import type { CallRequest, CallUpdate } from './call-request.js';
import { toCallResource } from './call-resource.js';
import type { PersonBehavior } from './person-behavior.js';
import { type PerformingCall, type TranscriptEntry, TwimlPerformer } from './twiml-performer.js';
import { TwimlError, type Verb, readTwiml } from './twiml.js';
import type { WebhookSender } from './webhook-sender.js';

type Parameters = Record<string, string>;

const FINAL_STATUSES = ['completed', 'busy', 'no-answer', 'failed', 'canceled'];

/**
 * The callback event that reports a status. A final status is always reported as `completed`.
 * Source: https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent
 */
const eventOf: Readonly<Record<string, string>> = {
  initiated: 'initiated',
  ringing: 'ringing',
  'in-progress': 'answered',
};

const sipCodes: Readonly<Record<string, string>> = { completed: '200', busy: '486', 'no-answer': '487', failed: '404' };

/** The most documents that one call fetches: more would be a loop. */
const MAX_DOCUMENTS = 100;

/** A simulated call: its status, its callbacks and what happens in it. */
export class SimulatedCall implements PerformingCall {
  readonly sid = `CA${randomUUID().replaceAll('-', '')}`;
  readonly createdAt = DateTime.utc();
  readonly transcript: TranscriptEntry[] = [];
  /** Twilio's status of the call. */
  status = 'queued';
  isHungUp = false;
  private startedAt?: DateTime;
  private endedAt?: DateTime;
  private answeredAt?: DateTime;
  private sequence = 0;
  private documents = 0;

  constructor(
    private readonly accountSid: string,
    readonly request: CallRequest,
    private readonly behavior: PersonBehavior,
    /** How long the call is queued before it is dialed (simulated seconds). */
    private readonly queueSeconds: number,
    private readonly webhooks: WebhookSender,
    /** Resolves after so many simulated seconds. */
    readonly wait: (seconds: number) => Promise<void>,
  ) {}

  get isOver(): boolean {
    return FINAL_STATUSES.includes(this.status);
  }

  get keys(): readonly string[] {
    return this.behavior.keys;
  }

  /** Undefined until the call is dialed. Source: Twilio's OpenAPI document, `start_time`. */
  get startTime(): DateTime | undefined {
    return this.startedAt;
  }

  /** Undefined unless the call was answered and is over. Source: Twilio's OpenAPI document, `end_time`. */
  get endTime(): DateTime | undefined {
    return this.status === 'completed' ? this.endedAt : undefined;
  }

  /** Runs the call from the request to its end. */
  async run(): Promise<void> {
    const isInbound = this.request.direction === 'inbound';
    if (isInbound) {
      this.startedAt = DateTime.utc();
      this.status = 'ringing';
    } else {
      await this.wait(this.queueSeconds + 0.2);
      this.advance('initiated');
      await this.wait(0.5);
      if (this.isOver) return;
      this.startedAt = DateTime.utc();
      this.advance('ringing');
      await this.wait(this.behavior.ring);
      if (this.isOver) return;
      if (this.behavior.ending !== 'answered') return this.advance(this.behavior.ending);
    }
    this.answeredAt = DateTime.utc();
    if (!isInbound) this.advance('in-progress');
    this.reportAnsweredBy();
    if (!this.behavior.hangsUpAtOnce) await this.talk();
    this.advance('completed');
  }

  /**
   * Ends the call on request of the API. `canceled` ends a call that is queued or ringing, and does not affect one that
   * was answered; `completed` ends any call. A call that ends before it is answered is canceled. Source: the parameter
   * `Status` at https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
   */
  end(status: CallUpdate['status']): void {
    const isAnswered = !['queued', 'ringing'].includes(this.status);
    if (isAnswered && status === 'canceled') return;
    this.isHungUp = true;
    this.advance(isAnswered ? 'completed' : 'canceled');
  }

  hangUp(): void {
    this.isHungUp = true;
  }

  /** Returns the call as Twilio's Call resource. */
  toResource(): Record<string, unknown> {
    const { to, from, direction, asyncAmdStatusCallback } = this.request;
    return toCallResource({
      sid: this.sid,
      accountSid: this.accountSid,
      to,
      from,
      direction,
      status: this.status,
      createdAt: this.createdAt,
      updatedAt: this.endedAt ?? this.startedAt ?? this.createdAt,
      startTime: this.startTime,
      endTime: this.endTime,
      duration: this.talkSeconds(),
      answeredBy: asyncAmdStatusCallback ? this.detectedAnswerer() : this.synchronousAnsweredBy(),
      queueTime: this.queueSeconds,
    });
  }

  async fetchDocument(url: string, method: string, parameters: Parameters): Promise<Verb[]> {
    if (++this.documents > MAX_DOCUMENTS) throw new TwimlError('11205 too many documents');
    this.transcript.push({ fetched: url });
    const status = this.request.direction === 'inbound' && this.documents === 1 ? 'ringing' : 'in-progress';
    const document = await this.webhooks.fetchTwiml(url, method, { ...this.callParameters(status), ...parameters });
    const verbs = readTwiml(document);
    if (!this.isOver) this.status = 'in-progress';
    return verbs;
  }

  /**
   * Moves the call to a status, and sends the status callback if it was requested. Does nothing if the call is over.
   * `initiated` is only an event: the call is still queued.
   */
  private advance(status: string): void {
    if (this.isOver) return;
    this.status = status === 'initiated' ? 'queued' : status;
    const isFinal = FINAL_STATUSES.includes(status);
    if (isFinal) this.endedAt = DateTime.utc();
    const { statusCallback, statusCallbackEvents } = this.request;
    const event = isFinal ? 'completed' : eventOf[status];
    if (statusCallback && event && statusCallbackEvents.includes(event)) {
      const parameters = {
        ...this.callParameters(status),
        Timestamp: DateTime.utc().toRFC2822(),
        CallbackSource: 'call-progress-events',
        SequenceNumber: String(this.sequence++),
        ...(isFinal && {
          CallDuration: String(this.talkSeconds()),
          Duration: String(Math.ceil(this.talkSeconds() / 60)),
          SipResponseCode: sipCodes[status] ?? '487',
        }),
      };
      this.sendCallback(statusCallback, parameters, isFinal);
    }
  }

  /** Source: https://www.twilio.com/docs/voice/answering-machine-detection, asynchronous detection. */
  private reportAnsweredBy(): void {
    const { asyncAmdStatusCallback: url } = this.request;
    if (!url) return;
    const AnsweredBy = this.detectedAnswerer() ?? '';
    const { sid: CallSid, accountSid: AccountSid } = this;
    this.sendCallback(url, { CallSid, AccountSid, AnsweredBy, MachineDetectionDuration: '2400' }, false);
  }

  private sendCallback(url: string, parameters: Parameters, isLast: boolean): void {
    const onForbidden = ({ message }: Error): unknown => this.transcript.push({ error: message });
    this.webhooks.sendStatusCallback({ sid: this.sid, url, parameters, isLast, onForbidden });
  }

  private async talk(): Promise<void> {
    const { twiml, url, method } = this.request;
    const performer = new TwimlPerformer(this);
    try {
      if (url) await performer.perform(await this.fetchDocument(url, method, {}), url);
      else if (twiml) await performer.perform(readTwiml(twiml), undefined);
    } catch (error) {
      this.transcript.push({ error: (error as Error).message });
    }
  }

  /** The parameters that all webhooks of the call have. */
  private callParameters(status: string): Parameters {
    const { to, from, direction } = this.request;
    const answeredBy = this.synchronousAnsweredBy();
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
    };
  }

  /** Who answered, if the call was requested with synchronous machine detection. */
  private synchronousAnsweredBy(): string | undefined {
    return this.request.detectsMachines ? this.detectedAnswerer() : undefined;
  }

  /** Who answered, as Twilio's `AnsweredBy`; undefined until the call is answered. */
  private detectedAnswerer(): string | undefined {
    if (!this.answeredAt) return undefined;
    return this.behavior.machine ? 'machine_start' : 'human';
  }

  /** How long the call has been answered (s); 0 if it was not. */
  private talkSeconds(): number {
    if (!this.answeredAt) return 0;
    return Math.max(1, Math.round((this.endedAt ?? DateTime.utc()).diff(this.answeredAt).as('seconds')));
  }
}

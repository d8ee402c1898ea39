import type { Verb } from './twiml.js';

/** One thing that happened in a call. */
export type TranscriptEntry = {
  said?: string;
  played?: string;
  asked?: string;
  pressed?: string;
  fetched?: string;
  error?: string;
};

/** The call in which a document is performed. */
export interface PerformingCall {
  readonly isHungUp: boolean;
  /** The keys that the person presses at each question in turn; `hangup` ends the call there. */
  readonly keys: readonly string[];
  readonly transcript: TranscriptEntry[];
  hangUp(): void;
  /** Requests a document. @throws Error if there is none, or the provider would not perform it */
  fetchDocument(url: string, method: string, parameters: Record<string, string>): Promise<Verb[]>;
  /** @param seconds simulated */
  wait(seconds: number): Promise<void>;
}

/** The longest that a verb waits (s): the longest that Twilio lets a call last. */
const MAX_PAUSE = 14_400;

/** Performs the TwiML documents of one call. */
export class TwimlPerformer {
  private questions = 0;

  constructor(private readonly call: PerformingCall) {}

  /**
   * Performs verbs, and the documents that they lead to, until the call ends or there is nothing left to perform.
   * @param baseUrl resolves relative URLs; undefined if the document was sent with the call
   * @throws Error if a document cannot be fetched or performed
   */
  async perform(verbs: Verb[], baseUrl: string | undefined): Promise<void> {
    for (const verb of verbs) {
      if (this.call.isHungUp) return;
      if (verb.name === 'Hangup' || verb.name === 'Reject') return;
      if (verb.name === 'Redirect') {
        return this.continueAt(verb.text.trim() || baseUrl, baseUrl, verb, {});
      }
      if (verb.name !== 'Gather') {
        await this.speak(verb);
        continue;
      }
      const digits = await this.gather(verb);
      if (this.call.isHungUp) return;
      if (digits !== '' || verb.attributes.actionOnEmptyResult === 'true') {
        return this.continueAt(verb.attributes.action ?? baseUrl, baseUrl, verb, { Digits: digits });
      }
    }
  }

  private async continueAt(
    target: string | undefined,
    baseUrl: string | undefined,
    { attributes }: Verb,
    parameters: Record<string, string>,
  ): Promise<void> {
    const url = new URL(target ?? '', baseUrl).href;
    const verbs = await this.call.fetchDocument(url, attributes.method ?? 'POST', parameters);
    return this.perform(verbs, url);
  }

  private async speak({ name, text, attributes }: Verb): Promise<void> {
    if (name === 'Say') {
      this.call.transcript.push({ said: text });
      await this.call.wait(Math.max(1, text.length / 15));
    } else if (name === 'Play') {
      this.call.transcript.push({ played: text });
      await this.call.wait(10);
    } else {
      await this.call.wait(wholeNumber(attributes.length, 1));
    }
  }

  /** Asks a question. @returns the digits, without the finishing key; '' if none were pressed */
  private async gather({ attributes, children }: Verb): Promise<string> {
    for (const child of children) {
      await this.speak(child);
      if (this.call.isHungUp) return '';
    }
    const pressed = this.call.keys[this.questions++];
    this.call.transcript.push({ asked: attributes.action ?? '', pressed: pressed ?? '' });
    if (pressed === 'hangup') {
      this.call.hangUp();
      return '';
    }
    if (pressed === undefined || pressed === '') {
      await this.call.wait(wholeNumber(attributes.timeout, 5));
      return '';
    }
    await this.call.wait(2);
    const finish = attributes.finishOnKey ?? '#';
    const digits = finish === '' ? pressed : pressed.split(finish)[0]!;
    return digits.slice(0, wholeNumber(attributes.numDigits, digits.length));
  }
}

/** Reads a whole number, at most {@link MAX_PAUSE}. An invalid attribute counts as absent. */
function wholeNumber(attribute: string | undefined, fallback: number): number {
  return attribute && /^\d+$/.test(attribute) ? Math.min(Number(attribute), MAX_PAUSE) : fallback;
}

import { type CallFlowStep, type VoiceResponse, voiceResponse } from './call-flow.js';
import { type Phrase, speak } from './phrases.js';

/** How often a question is asked. Silence and invalid keys both count. */
const MAX_TIMES_ASKED = 3;

/** How long to wait for a key (s). */
const KEY_TIMEOUT = 7;

/** A question that the person answers on the keypad. */
export interface Question {
  /** Said the first time. */
  prompt: readonly Phrase[];
  /** Said each further time. */
  reprompt: readonly Phrase[];
  /** The most keys that an answer has. */
  maxDigits: number;
  /** Whether an answer may be shorter, and ends with #. */
  finishOnHash?: boolean;
  /** Said when the question was asked {@link MAX_TIMES_ASKED} times without an answer. */
  goodbye: readonly Phrase[];
}

/**
 * Asks a question. One document holds the question, its repetitions after silence and the goodbye, so the provider
 * sends a webhook only when a key is pressed.
 * @param timesAsked how often the question was asked before
 */
export function ask({ actionUrl }: Pick<CallFlowStep, 'actionUrl'>, question: Question, timesAsked = 0): VoiceResponse {
  const twiml = voiceResponse();
  for (let times = timesAsked; times < MAX_TIMES_ASKED; times++) {
    const gather = twiml.gather({
      input: ['dtmf'],
      numDigits: question.maxDigits,
      finishOnKey: question.finishOnHash ? '#' : '',
      timeout: KEY_TIMEOUT,
      action: actionUrl(times + 1),
      method: 'POST',
    });
    speak(gather, times === 0 ? question.prompt : question.reprompt);
  }
  return sayAndHangUp(question.goodbye, twiml);
}

/**
 * Says phrases, and hangs up.
 * @param twiml the document to append to; a new one by default
 */
export function sayAndHangUp(phrases: readonly Phrase[], twiml = voiceResponse()): VoiceResponse {
  speak(twiml, phrases);
  twiml.hangup();
  return twiml;
}

import { type Step, type VoiceResponse, voiceResponse } from './call-flow.js';
import { type Phrase, speak } from './phrases.js';

/** So often is a question asked, keys that mean nothing and silence taken together. */
const ASKED_AT_MOST = 3;

/** So long is waited for a key, in seconds. */
const PATIENCE = 7;

/** A question that is answered by keypad. */
export interface Question {
  /** Said the first time. */
  ask: readonly Phrase[];
  /** Said each further time. */
  askAgain: readonly Phrase[];
  /** Keys at the most. */
  digits: number;
  /** Whether fewer keys may be an answer, too: then # ends it. */
  endsWithHash?: boolean;
  /** Said to a caller who has not answered in the end. */
  goodbye: readonly Phrase[];
}

/**
 * Asks a question, in one document: again after each silence, and lets a caller who keeps silent go. Only an answer comes back to us.
 * @param asked how often it has been asked already
 */
export function ask({ next }: Pick<Step, 'next'>, question: Question, asked = 0): VoiceResponse {
  const twiml = voiceResponse();
  for (let times = asked; times < ASKED_AT_MOST; times++) {
    const gather = twiml.gather({
      input: ['dtmf'],
      numDigits: question.digits,
      finishOnKey: question.endsWithHash ? '#' : '',
      timeout: PATIENCE,
      action: next(times + 1),
      method: 'POST',
    });
    speak(gather, times === 0 ? question.ask : question.askAgain);
  }
  return letGo(question.goodbye, twiml);
}

/** Says the last words, and hangs up. */
export function letGo(words: readonly Phrase[], twiml = voiceResponse()): VoiceResponse {
  speak(twiml, words);
  twiml.hangup();
  return twiml;
}

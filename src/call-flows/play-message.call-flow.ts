import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { type FieldErrors, messages } from '../http/errors.js';
import { isBlank, textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { CallFlow, NothingToSay, type Reply, type Scene, type Step, type Writes } from './call-flow.js';
import { optOut } from './opting-out.js';
import { LANGUAGE, LONGEST_TEXT, type Phrase, VOICE, isAudioUrl, isSpeakable } from './phrases.js';
import { type Question, ask, letGo } from './question.js';

/** So often is the message repeated on request. */
const MOST_REPEATS = 3;

/** The key with which a person confirms, and the one with which they ask to hear it again. */
const CONFIRM = '1';
const REPEAT = '2';

/** What else is said, unless the callout's metadata say it in other words: by key, or as a recording by the key with `_audio_url`. */
const words = {
  prompt: (optOutKey?: string) =>
    'To confirm that you have heard this message, press 1. To hear it again, press 2.' +
    (optOutKey ? ` To receive no more calls from us, press ${optOutKey}.` : ''),
  thanks: () => 'Thank you. Goodbye.',
  goodbye: () => 'Goodbye.',
  opted_out: () => 'You will receive no more calls from us. Goodbye.',
};
type Words = keyof typeof words;

/**
 * Speaks or plays the message of its callout and asks to confirm it: `message`, `language` and `voice`, or `audio_url`, in the callout's
 * metadata. What is confirmed is written as `confirmed_at` to the participation's metadata.
 */
@Injectable()
export class PlayMessageCallFlow extends CallFlow {
  readonly name = 'CallFlowLogic::PlayMessage';

  constructor(private readonly config: Config) {
    super();
  }

  answer(step: Step): Reply {
    const callout = step.callout?.metadata ?? {};
    const { memory, keys, asked, byMachine } = step;
    // Whatever a machine may press counts for nothing.
    const pressed = memory && !byMachine ? keys : '';
    if (pressed === CONFIRM) return this.confirm(step, callout);
    if (pressed !== '' && pressed === this.config.optOutKey) return optOut(step, [this.say('opted_out', callout)]);
    const message = messageOf(callout);
    if (!message) throw new NothingToSay("The callout's metadata have no message and no audio_url");
    if (byMachine) return { twiml: letGo([message]), memory: {} };
    const repeats = Number(memory?.repeats ?? 0);
    const repeated = pressed === REPEAT && repeats < MOST_REPEATS;
    return {
      twiml: ask(step, this.question(message, callout), memory && !repeated ? asked : 0),
      memory: { repeats: repeated ? repeats + 1 : repeats },
    };
  }

  private confirm({ participation, at }: Step, callout: Metadata): Reply {
    const confirmed = participation && !participation.metadata.confirmed_at;
    return {
      twiml: letGo([this.say('thanks', callout)]),
      memory: { confirmed: Boolean(confirmed) },
      ...(confirmed && { write: { participation: { confirmed_at: at } } }),
    };
  }

  override refusals(callout: Metadata): FieldErrors {
    const { message, audio_url, language, voice } = callout;
    const errors: FieldErrors = {};
    if (isBlank(message) && isBlank(audio_url)) errors.message = [messages.blank];
    if (!isBlank(language) && !LANGUAGE.test(textOf(language) ?? '')) {
      errors.language = ['must be a language such as en-GB'];
    }
    if (!isBlank(voice) && !VOICE.test(textOf(voice) ?? ''))
      errors.voice = ["must be the name of one of the provider's voices"];
    for (const key of ['audio_url', ...Object.keys(words).map((name) => `${name}_audio_url`)]) {
      if (!isBlank(callout[key]) && !isAudioUrl(callout[key])) errors[key] = ['must be an http or https URL'];
    }
    for (const key of ['message', ...Object.keys(words)]) {
      const error = textError(callout[key]);
      if (error) errors[key] = [error];
    }
    return errors;
  }

  override onMachine(_scene: Scene, memory: Readonly<Metadata>): Writes {
    return memory.confirmed === true ? { participation: { confirmed_at: null } } : {};
  }

  private question(message: Phrase, callout: Metadata): Question {
    const prompt = this.say('prompt', callout);
    return { ask: [message, prompt], askAgain: [prompt], digits: 1, goodbye: [this.say('goodbye', callout)] };
  }

  /** In the callout's words and voice; what it does not word itself is English, in the provider's own voice. */
  private say(name: Words, callout: Metadata): Phrase {
    return phraseOf(callout, name, `${name}_audio_url`) ?? words[name](this.config.optOutKey);
  }
}

/** What keeps a text from being said, or undefined. */
function textError(given: unknown): string | undefined {
  if (isBlank(given)) return undefined;
  if (typeof given !== 'string') return 'must be a text';
  if (given.length > LONGEST_TEXT) return `is too long (${LONGEST_TEXT} characters at the most)`;
  return isSpeakable(given) ? undefined : 'has a character that cannot be said';
}

function messageOf(callout: Metadata): Phrase | undefined {
  return phraseOf(callout, 'message', 'audio_url');
}

/** A recording goes before a text, which it says better. */
function phraseOf(callout: Metadata, textKey: string, audioKey: string): Phrase | undefined {
  const audio = callout[audioKey];
  if (isAudioUrl(audio)) return { audio_url: audio };
  const text = callout[textKey];
  if (typeof text !== 'string' || isBlank(text)) return undefined;
  const { language, voice } = callout;
  return {
    text: text.slice(0, LONGEST_TEXT),
    ...(typeof language === 'string' && LANGUAGE.test(language) && { language }),
    ...(typeof voice === 'string' && VOICE.test(voice) && { voice }),
  };
}

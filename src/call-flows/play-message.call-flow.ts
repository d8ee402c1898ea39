import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { type FieldErrors, messages } from '../errors/errors.js';
import { isBlank, textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import {
  CallFlow,
  type CallContext,
  type CallFlowStep,
  type MetadataWrites,
  NothingToSayError,
  type Reply,
} from './call-flow.js';
import { optOut } from './opt-out.js';
import { LANGUAGE, MAX_TEXT_LENGTH, type Phrase, VOICE, isAudioUrl, isSpeakable } from './phrases.js';
import { type Question, ask, sayAndHangUp } from './question.js';

/** How often the message is repeated on request. */
const MAX_REPEATS = 3;

const CONFIRM_KEY = '1';
const REPEAT_KEY = '2';

/**
 * The default texts. The callout's metadata can replace each one: with a text under the same key, or with a recording
 * under the key with the suffix `_audio_url`.
 */
const defaultTexts = {
  prompt: (optOutKey?: string) =>
    'To confirm that you have heard this message, press 1. To hear it again, press 2.' +
    (optOutKey ? ` To receive no more calls from us, press ${optOutKey}.` : ''),
  thanks: () => 'Thank you. Goodbye.',
  goodbye: () => 'Goodbye.',
  opted_out: () => 'You will receive no more calls from us. Goodbye.',
};
type TextKey = keyof typeof defaultTexts;
const textKeys = Object.keys(defaultTexts);

/**
 * Says or plays the callout's message (`message` or `audio_url` in its metadata), and asks the person to confirm it. A
 * confirmation is written to the participation's metadata as `confirmed_at`.
 */
@Injectable()
export class PlayMessageCallFlow extends CallFlow {
  readonly name = 'CallFlowLogic::PlayMessage';

  constructor(private readonly config: Config) {
    super();
  }

  reply(step: CallFlowStep): Reply {
    const callout = step.callout?.metadata ?? {};
    const { memory, keys, timesAsked, answeredByMachine } = step;
    // Keys that a machine presses do not count.
    const pressed = memory && !answeredByMachine ? keys : '';
    if (pressed === CONFIRM_KEY) return this.confirm(step, callout);
    if (pressed !== '' && pressed === this.config.optOutKey) return optOut(step, [this.phrase('opted_out', callout)]);
    const message = messageOf(callout);
    if (!message) throw new NothingToSayError("The callout's metadata have no message and no audio_url");
    if (answeredByMachine) return { twiml: sayAndHangUp([message]), memory: {} };
    const repeats = Number(memory?.repeats ?? 0);
    const isRepeat = pressed === REPEAT_KEY && repeats < MAX_REPEATS;
    return {
      twiml: ask(step, this.question(message, callout), memory && !isRepeat ? timesAsked : 0),
      memory: { repeats: isRepeat ? repeats + 1 : repeats },
    };
  }

  private confirm({ participation, at }: CallFlowStep, callout: Metadata): Reply {
    const isFirst = participation && !participation.metadata.confirmed_at;
    return {
      twiml: sayAndHangUp([this.phrase('thanks', callout)]),
      memory: { confirmed: Boolean(isFirst) },
      ...(isFirst && { write: { participation: { confirmed_at: at } } }),
    };
  }

  override validateMetadata(callout: Metadata): FieldErrors {
    const { message, audio_url, language, voice } = callout;
    const errors: FieldErrors = {};
    if (isBlank(message) && isBlank(audio_url)) errors.message = [messages.blank];
    if (!isBlank(language) && !LANGUAGE.test(textOf(language) ?? '')) {
      errors.language = ['must be a language such as en-GB'];
    }
    if (!isBlank(voice) && !VOICE.test(textOf(voice) ?? ''))
      errors.voice = ["must be the name of one of the provider's voices"];
    for (const key of ['audio_url', ...textKeys.map((name) => `${name}_audio_url`)]) {
      if (!isBlank(callout[key]) && !isAudioUrl(callout[key])) errors[key] = ['must be an http or https URL'];
    }
    for (const key of ['message', ...textKeys]) {
      const error = textError(callout[key]);
      if (error) errors[key] = [error];
    }
    return errors;
  }

  /** Reverts a confirmation that this call made. */
  override onMachineDetected(_context: CallContext, memory: Readonly<Metadata>): MetadataWrites {
    return memory.confirmed === true ? { participation: { confirmed_at: null } } : {};
  }

  private question(message: Phrase, callout: Metadata): Question {
    const prompt = this.phrase('prompt', callout);
    return {
      prompt: [message, prompt],
      reprompt: [prompt],
      maxDigits: 1,
      goodbye: [this.phrase('goodbye', callout)],
    };
  }

  /** The callout's own text or recording; else the default text, in English and the provider's default voice. */
  private phrase(key: TextKey, callout: Metadata): Phrase {
    return phraseIn(callout, key, `${key}_audio_url`) ?? defaultTexts[key](this.config.optOutKey);
  }
}

/** Returns why a metadata value cannot be said as text, or undefined. */
function textError(value: unknown): string | undefined {
  if (isBlank(value)) return undefined;
  if (typeof value !== 'string') return 'must be a text';
  if (value.length > MAX_TEXT_LENGTH) return `is too long (${MAX_TEXT_LENGTH} characters at the most)`;
  return isSpeakable(value) ? undefined : 'has a character that cannot be said';
}

function messageOf(callout: Metadata): Phrase | undefined {
  return phraseIn(callout, 'message', 'audio_url');
}

/**
 * The recording at `audioKey`, which takes precedence, or the text at `textKey`. Invalid languages and voices are
 * ignored.
 */
function phraseIn(callout: Metadata, textKey: string, audioKey: string): Phrase | undefined {
  const audio = callout[audioKey];
  if (isAudioUrl(audio)) return { audio_url: audio };
  const text = callout[textKey];
  if (typeof text !== 'string' || isBlank(text)) return undefined;
  const { language, voice } = callout;
  return {
    text: text.slice(0, MAX_TEXT_LENGTH),
    ...(typeof language === 'string' && LANGUAGE.test(language) && { language }),
    ...(typeof voice === 'string' && VOICE.test(voice) && { voice }),
  };
}

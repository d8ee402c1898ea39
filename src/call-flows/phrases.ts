import type { VoiceResponse } from './call-flow.js';

/** Something to say: a text in any language and script, or a recording. */
export type Phrase = string | { text: string; language?: string; voice?: string } | { audio_url: string };

/** A TwiML element that takes phrases: a document, or a question in one. */
type Speaker = Pick<VoiceResponse, 'say' | 'play'>;
type SayAttributes = Parameters<Speaker['say']>[0];

/** The longest text that the provider speaks, in characters. Source: https://www.twilio.com/docs/voice/twiml/say */
export const MAX_TEXT_LENGTH = 4_096;

/**
 * The format of `language`: `en-GB`, `km-KH`, `cmn-CN`. Which languages a voice speaks is for the provider to check.
 */
export const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z\d]{2,8}){0,3}$/;

/** The format of the provider's voice names: `alice`, `Polly.Joanna-Neural`, `Google.en-US-Wavenet-A`. */
export const VOICE = /^[A-Za-z][\w.-]{0,99}$/;

/** The format of a recording's URL, which the provider must be able to fetch. */
export const AUDIO_URL = /^[hH][tT][tT][pP][sS]?:\/\/[^\s/]\S*$/;

/** Appends phrases in order. The provider gets the URL of a recording; this program never fetches it. */
export function speak(speaker: Speaker, phrases: readonly Phrase[]): void {
  for (const phrase of phrases) {
    if (typeof phrase === 'string') speaker.say(withoutInvalidCharacters(phrase));
    else if ('audio_url' in phrase) speaker.play(phrase.audio_url);
    else {
      const { text, language, voice } = phrase;
      // The package's types list the voices and languages of its release; the provider may have more.
      const attributes = { ...(language && { language }), ...(voice && { voice }) } as SayAttributes;
      speaker.say(attributes, withoutInvalidCharacters(text));
    }
  }
}

/** Characters that no XML document can contain. Source: https://www.w3.org/TR/xml/#charsets */
// oxlint-disable-next-line no-control-regex -- control characters are what it matches
const INVALID_IN_XML = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** A stored text may contain such characters. Saying the rest is better than saying nothing. */
function withoutInvalidCharacters(text: string): string {
  return text.replaceAll(INVALID_IN_XML, '');
}

/** Whether all characters of a text can be said. */
export function isSpeakable(text: string): boolean {
  return withoutInvalidCharacters(text) === text;
}

/** Whether `value` is a valid URL of a recording. */
export function isAudioUrl(value: unknown): value is string {
  return typeof value === 'string' && AUDIO_URL.test(value) && URL.canParse(value);
}

import type { VoiceResponse } from './call-flow.js';

/** Something to be said: a text in any language and script, or a recording. */
export type Phrase = string | { text: string; language?: string; voice?: string } | { audio_url: string };

/** Where phrases can be said: a document, or a question within one. */
type Speaker = Pick<VoiceResponse, 'say' | 'play'>;

/** The longest text that the provider speaks, in characters. Source: https://www.twilio.com/docs/voice/twiml/say */
export const LONGEST_TEXT = 4_096;

/** What may follow "language": `en-GB`, `km-KH`, `cmn-CN`. Which of them a voice speaks is the provider's to know. */
export const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z\d]{2,8}){0,3}$/;

/** As the provider names voices: `alice`, `Polly.Joanna-Neural`, `Google.en-US-Wavenet-A`. */
export const VOICE = /^[A-Za-z][\w.-]{0,99}$/;

/** An address at which the provider could fetch a recording. */
export const AUDIO_URL = /^[hH][tT][tT][pP][sS]?:\/\/[^\s/]\S*$/;

/** Says phrases one after the other. A recording is handed to the provider by its URL; we never fetch it. */
export function speak(speaker: Speaker, phrases: readonly Phrase[]): void {
  for (const phrase of phrases) {
    if (typeof phrase === 'string') speaker.say(said(phrase));
    else if ('audio_url' in phrase) speaker.play(phrase.audio_url);
    else {
      const { text, language, voice } = phrase;
      speaker.say({ ...(language && { language }), ...(voice && { voice }) } as never, said(text));
    }
  }
}

/** A text without what cannot be said, however it got there: better that than to say nothing at all. */
function said(text: string): string {
  return text.replaceAll(UNSPEAKABLE, '');
}

/** Characters that no XML document can hold. Source: https://www.w3.org/TR/xml/#charsets */
// oxlint-disable-next-line no-control-regex -- they are what it is about
const UNSPEAKABLE = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** Whether a text can be said, as far as its characters go. */
export function isSpeakable(text: string): boolean {
  return text.replaceAll(UNSPEAKABLE, '') === text;
}

/** Whether `value` is an address at which the provider could fetch a recording. */
export function isAudioUrl(value: unknown): value is string {
  return typeof value === 'string' && AUDIO_URL.test(value) && URL.canParse(value);
}

import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { DO_NOT_CALL } from '../contacts/opted-out.js';
import { AUDIO_URL, LANGUAGE, MAX_TEXT_LENGTH, type Phrase, VOICE, isSpeakable } from './phrases.js';

/** The answer that a key stands for: the value that is stored, and how it is worded if that differs. */
export type AnswerOption = string | { value: string; spoken: string };

/** One question. It has either `answers` or `number`. */
export interface RegistrationQuestion {
  /** The key of the contact's metadata that the answer is stored under. */
  key: string;
  ask: Phrase | Phrase[];
  /** The answers by the keys to press. */
  answers?: Record<string, AnswerOption>;
  /** The range of whole numbers that are answers, inclusive. */
  number?: { least: number; most: number };
}

/** The questions and texts of CallFlowLogic::Registration. */
export interface RegistrationScript {
  /** The language and voice of plain texts. */
  language?: string;
  voice?: string;
  welcome: Phrase | Phrase[];
  /** Said after the welcome if a key opts out. `{opt_out_key}` is that key. */
  opt_out?: Phrase | Phrase[];
  questions: RegistrationQuestion[];
  /** Asked last: 1 confirms, 2 starts over. `{province}` is the answer to the question with the key `province`. */
  confirm: Phrase | Phrase[];
  not_understood: Phrase | Phrase[];
  thanks: Phrase | Phrase[];
  goodbye: Phrase | Phrase[];
  opted_out: Phrase | Phrase[];
  /** Said instead of everything else to a caller whose number is unknown. */
  number_hidden?: Phrase | Phrase[];
}

/** Keys that a question must not have: the program writes them itself, or JavaScript treats them specially. */
const RESERVED = [DO_NOT_CALL, 'registered_at', '__proto__'];

const text = { type: 'string', pattern: '\\S', maxLength: MAX_TEXT_LENGTH };
const language = { type: 'string', pattern: LANGUAGE.source };
const voice = { type: 'string', pattern: VOICE.source };
const phrase = {
  oneOf: [
    text,
    { type: 'object', properties: { text, language, voice }, required: ['text'], additionalProperties: false },
    {
      type: 'object',
      properties: { audio_url: { type: 'string', pattern: AUDIO_URL.source } },
      required: ['audio_url'],
      additionalProperties: false,
    },
  ],
};
const phrases = { oneOf: [...phrase.oneOf, { type: 'array', items: phrase, minItems: 1, maxItems: 20 }] };
const answerOption = {
  oneOf: [
    text,
    {
      type: 'object',
      properties: { value: text, spoken: text },
      required: ['value', 'spoken'],
      additionalProperties: false,
    },
  ],
};
const question = {
  type: 'object',
  properties: {
    key: { type: 'string', minLength: 1, maxLength: 100, not: { enum: RESERVED } },
    ask: phrases,
    answers: {
      type: 'object',
      propertyNames: { pattern: '^\\d{1,9}$' },
      additionalProperties: answerOption,
      minProperties: 1,
    },
    number: {
      type: 'object',
      properties: {
        least: { type: 'integer', minimum: 0, maximum: 999_999_999 },
        most: { type: 'integer', minimum: 0, maximum: 999_999_999 },
      },
      required: ['least', 'most'],
      additionalProperties: false,
    },
  },
  required: ['key', 'ask'],
  oneOf: [{ required: ['answers'] }, { required: ['number'] }],
  additionalProperties: false,
};
const requiredTexts = ['welcome', 'confirm', 'not_understood', 'thanks', 'goodbye', 'opted_out'];
const schema = {
  type: 'object',
  properties: {
    language,
    voice,
    questions: { type: 'array', items: question, minItems: 1, maxItems: 20 },
    opt_out: phrases,
    number_hidden: phrases,
    ...Object.fromEntries(requiredTexts.map((name) => [name, phrases])),
  },
  required: ['questions', ...requiredTexts],
  additionalProperties: false,
};

/** A placeholder in a text: `{province}`. */
export const PLACEHOLDER = /\{([^{}]+)\}/g;

const EXAMPLE = new URL('./registration.example.json', import.meta.url);

/**
 * Reads and checks a registration script.
 * @param path of the JSON file; by default the example that comes with the program
 * @throws Error if the file is unreadable or the script invalid; the message says what is wrong and where
 */
export function readRegistrationScript(path?: string): RegistrationScript {
  const json = readFileSync(path ?? EXAMPLE, 'utf8');
  const script = JSON.parse(json, (_, value: unknown) => {
    if (typeof value === 'string' && !isSpeakable(value)) throw new Error('a text has a character that cannot be said');
    return value;
  }) as unknown;
  const ajv = new Ajv({ strictTypes: false, strictRequired: false });
  const isScript = ajv.compile<RegistrationScript>(schema);
  if (!isScript(script)) throw new Error(ajv.errorsText(isScript.errors?.slice(0, 1), { dataVar: 'the script' }));
  const keys = script.questions.map(({ key }) => key);
  const duplicate = keys.find((key, index) => keys.indexOf(key) !== index);
  if (duplicate !== undefined) throw new Error(`two questions have the key ${duplicate}`);
  const emptyRange = script.questions.find(({ number }) => number && number.least > number.most);
  if (emptyRange) throw new Error(`no number is an answer to the question ${emptyRange.key}`);
  const unknown = placeholdersIn(JSON.stringify(script.confirm)).find((name) => !keys.includes(name));
  if (unknown !== undefined) throw new Error(`confirm speaks of {${unknown}}, which no question asks`);
  return script;
}

function placeholdersIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!).filter((name) => !name.startsWith('"'));
}

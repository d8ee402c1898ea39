import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { DO_NOT_CALL } from '../contacts/opted-out.js';
import { AUDIO_URL, LANGUAGE, LONGEST_TEXT, type Phrase, VOICE, isSpeakable } from './phrases.js';

/** What a key stands for: what is stored, and what is said of it where that is something else. */
export type Answer = string | { value: string; spoken: string };

/** One question; either the keys that are answers, or the numbers that are. */
export interface RegistrationQuestion {
  /** Under this key of the contact's metadata the answer is stored. */
  key: string;
  ask: Phrase | Phrase[];
  answers?: Record<string, Answer>;
  number?: { least: number; most: number };
}

/** What people who call in are asked, and all that is said to them: the settings of CallFlowLogic::Registration. */
export interface RegistrationScript {
  /** In which what is a mere text is spoken. */
  language?: string;
  voice?: string;
  welcome: Phrase | Phrase[];
  /** Said after the welcome where opting out has a key, `{opt_out_key}`. */
  opt_out?: Phrase | Phrase[];
  questions: RegistrationQuestion[];
  /** Asked in the end: 1 is yes, 2 begins again. `{province}` is what was answered to the question with that key. */
  confirm: Phrase | Phrase[];
  not_understood: Phrase | Phrase[];
  thanks: Phrase | Phrase[];
  goodbye: Phrase | Phrase[];
  opted_out: Phrase | Phrase[];
  /** Said in place of all this to a caller whose number is not known. */
  number_hidden?: Phrase | Phrase[];
}

/** Keys that the program itself writes to a contact's metadata, and those that are more than data to JavaScript. */
const RESERVED = [DO_NOT_CALL, 'registered_at', '__proto__'];

const text = { type: 'string', pattern: '\\S', maxLength: LONGEST_TEXT };
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
const answer = {
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
      additionalProperties: answer,
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
const said = ['welcome', 'confirm', 'not_understood', 'thanks', 'goodbye', 'opted_out'];
const schema = {
  type: 'object',
  properties: {
    language,
    voice,
    questions: { type: 'array', items: question, minItems: 1, maxItems: 20 },
    opt_out: phrases,
    number_hidden: phrases,
    ...Object.fromEntries(said.map((name) => [name, phrases])),
  },
  required: ['questions', ...said],
  additionalProperties: false,
};

/** What stands for something else in a text: `{province}`. */
export const PLACEHOLDER = /\{([^{}]+)\}/g;

const EXAMPLE = new URL('./registration.example.json', import.meta.url);

/**
 * The script in the JSON file at `path`; the example in the box when none is given.
 * @throws Error whose message says what is wrong, and where in the file
 */
export function readRegistrationScript(path?: string): RegistrationScript {
  const written = readFileSync(path ?? EXAMPLE, 'utf8');
  const script = JSON.parse(written, (_, value: unknown) => {
    if (typeof value === 'string' && !isSpeakable(value)) throw new Error('a text has a character that cannot be said');
    return value;
  }) as unknown;
  const ajv = new Ajv({ strictTypes: false, strictRequired: false });
  const isScript = ajv.compile<RegistrationScript>(schema);
  if (!isScript(script)) throw new Error(ajv.errorsText(isScript.errors?.slice(0, 1), { dataVar: 'the script' }));
  const keys = script.questions.map(({ key }) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new Error(`two questions have the key ${twice}`);
  const unanswerable = script.questions.find(({ number }) => number && number.least > number.most);
  if (unanswerable) throw new Error(`no number is an answer to the question ${unanswerable.key}`);
  const unasked = placeholdersIn(JSON.stringify(script.confirm)).find((name) => !keys.includes(name));
  if (unasked !== undefined) throw new Error(`confirm speaks of {${unasked}}, which no question asks`);
  return script;
}

function placeholdersIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!).filter((name) => !name.startsWith('"'));
}

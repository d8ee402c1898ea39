import { Injectable } from '@nestjs/common';
import { CallFlowSettings } from './call-flow-settings.js';
import { Config } from '../config/config.js';
import { DO_NOT_CALL } from '../contacts/opted-out.js';
import { textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { CallFlow, type CallFlowStep, type Reply } from './call-flow.js';
import { NUMBER_HIDDEN, optOut } from './opt-out.js';
import { MAX_TEXT_LENGTH, type Phrase } from './phrases.js';
import { type Question, ask, sayAndHangUp } from './question.js';
import {
  type AnswerOption,
  PLACEHOLDER,
  type RegistrationQuestion,
  type RegistrationScript,
} from './registration-script.js';

/** How often a caller may start over. */
const MAX_RESTARTS = 2;

const CONFIRM_KEY = '1';
const RESTART_KEY = '2';

/** The memory of this flow. Stored as JSON, so these keys must stay readable. */
interface Progress {
  /** The index of the question that was asked last. One more than the last index stands for the confirmation. */
  question: number;
  /** The answers by question key, worded as they are said. */
  spoken: Record<string, string>;
  restarts: number;
}

/**
 * Registers people who call in: asks the questions of the registration script, then asks the caller to confirm the
 * answers. Each answer is written to the contact's metadata at once, so an early hang-up loses nothing. `registered_at`
 * is written when the caller confirms.
 */
@Injectable()
export class RegistrationCallFlow extends CallFlow {
  readonly name = 'CallFlowLogic::Registration';

  private readonly script: RegistrationScript;

  constructor(
    private readonly config: Config,
    settings: CallFlowSettings,
  ) {
    super();
    this.script = settings.registration;
  }

  reply(step: CallFlowStep): Reply {
    if (!step.contact)
      return { twiml: sayAndHangUp(this.script.number_hidden ? this.phrases('number_hidden') : [NUMBER_HIDDEN]) };
    if (!step.memory) return this.ask(step, { question: 0, spoken: {}, restarts: 0 }, this.welcome());
    const progress = step.memory as unknown as Progress;
    const question = this.script.questions[progress.question];
    if (!question) return this.confirm(step, progress);
    const answer = answerTo(question, step.keys);
    if (answer === undefined) return this.notUnderstood(step, progress);
    const { value, spoken } = typeof answer === 'string' ? { value: answer, spoken: answer } : answer;
    const next = {
      ...progress,
      question: progress.question + 1,
      spoken: { ...progress.spoken, [question.key]: spoken },
    };
    return { ...this.ask(step, next), write: { contact: { [question.key]: value } } };
  }

  /** The welcome, and how to opt out unless that key is an answer to the first question. */
  private welcome(): Phrase[] {
    const { optOutKey } = this.config;
    const isAnswer = answerTo(this.script.questions[0]!, optOutKey ?? '') !== undefined;
    const optingOut = optOutKey && !isAnswer ? this.phrases('opt_out') : [];
    return [...this.phrases('welcome'), ...optingOut.map((phrase) => fillIn(phrase, { opt_out_key: optOutKey }))];
  }

  private confirm(step: CallFlowStep, progress: Progress): Reply {
    if (step.keys === CONFIRM_KEY) {
      // Registering means wanting calls, so it reverts an earlier opt-out.
      const optsIn = Object.hasOwn(step.contact?.metadata ?? {}, DO_NOT_CALL) && { [DO_NOT_CALL]: null };
      const write = { contact: { registered_at: step.at, ...optsIn } };
      return { twiml: sayAndHangUp(this.phrases('thanks')), memory: {}, write };
    }
    const { restarts } = progress;
    if (step.keys === RESTART_KEY && restarts < MAX_RESTARTS) {
      return this.ask(step, { question: 0, spoken: {}, restarts: restarts + 1 });
    }
    return this.notUnderstood(step, progress);
  }

  private notUnderstood(step: CallFlowStep, progress: Progress): Reply {
    if (step.keys === this.config.optOutKey) return optOut(step, this.phrases('opted_out'));
    return this.ask(step, progress, [], step.timesAsked);
  }

  /** Asks the question that `progress` is at, after `intro`. */
  private ask(step: CallFlowStep, progress: Progress, intro: Phrase[] = [], timesAsked = 0): Reply {
    return { twiml: ask(step, this.question(progress, intro), timesAsked), memory: { ...progress } };
  }

  private question({ question: index, spoken }: Progress, intro: Phrase[]): Question {
    const question = this.script.questions[index];
    const notUnderstood = this.phrases('not_understood');
    const goodbye = this.phrases('goodbye');
    if (!question) {
      const prompt = this.phrases('confirm').map((phrase) => fillIn(phrase, spoken));
      return { prompt, reprompt: [...notUnderstood, ...prompt], maxDigits: 1, goodbye };
    }
    const prompt = this.withVoice(question.ask);
    return {
      prompt: [...intro, ...prompt],
      reprompt: [...notUnderstood, ...prompt],
      goodbye,
      ...digitsOf(question),
    };
  }

  private phrases(name: Exclude<keyof RegistrationScript, 'questions' | 'language' | 'voice'>): Phrase[] {
    return this.withVoice(this.script[name] ?? []);
  }

  /** Gives plain texts the language and voice of the script. */
  private withVoice(phrases: Phrase | Phrase[]): Phrase[] {
    const { language, voice } = this.script;
    return (Array.isArray(phrases) ? phrases : [phrases]).map((phrase) =>
      typeof phrase === 'string' ? { text: phrase, language, voice } : phrase,
    );
  }
}

/** The answer that keys stand for; undefined if they are none. */
function answerTo({ answers, number }: RegistrationQuestion, keys: string): AnswerOption | undefined {
  if (answers) return Object.hasOwn(answers, keys) ? answers[keys] : undefined;
  const entered = /^\d+$/.test(keys) ? Number(keys) : NaN;
  return number && entered >= number.least && entered <= number.most ? String(entered) : undefined;
}

/** How many keys an answer to the question has. */
function digitsOf({ answers, number }: RegistrationQuestion): Pick<Question, 'maxDigits' | 'finishOnHash'> {
  const lengths = answers ? Object.keys(answers).map((keys) => keys.length) : [1, String(number?.most ?? 0).length];
  const maxDigits = Math.max(...lengths);
  return { maxDigits, finishOnHash: Math.min(...lengths) < maxDigits };
}

/**
 * Replaces `{key}` in a phrase by the value of that key. The result is cut to the longest text that the provider
 * speaks.
 */
function fillIn(phrase: Phrase, values: Metadata): Phrase {
  const fill = (text: string): string =>
    text
      .replaceAll(PLACEHOLDER, (placeholder, key: string) =>
        Object.hasOwn(values, key) ? (textOf(values[key]) ?? placeholder) : placeholder,
      )
      .slice(0, MAX_TEXT_LENGTH);
  if (typeof phrase === 'string') return fill(phrase);
  return 'text' in phrase ? { ...phrase, text: fill(phrase.text) } : phrase;
}

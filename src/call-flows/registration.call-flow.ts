import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { DO_NOT_CALL } from '../contacts/opted-out.js';
import { textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import { CallFlow, type Reply, type Step } from './call-flow.js';
import { CallFlowSettings } from './call-flow-settings.js';
import { NUMBER_HIDDEN, optOut } from './opting-out.js';
import { LONGEST_TEXT, type Phrase } from './phrases.js';
import { type Question, ask, letGo } from './question.js';
import { type Answer, PLACEHOLDER, type RegistrationQuestion, type RegistrationScript } from './registration-script.js';

/** So often may a caller begin again. */
const MOST_RESTARTS = 2;

const YES = '1';
const AGAIN = '2';

/** How far a caller has come. */
interface Standing {
  /** The question that was asked last, by its place; after the last of them it is asked whether all is right. */
  question: number;
  /** What was answered, in the words in which it is said. */
  spoken: Record<string, string>;
  restarts: number;
}

/**
 * For people who call in: asks the questions of the registration script one by one, and whether the answers are right. Each answer is
 * stored in the contact's metadata at once, so that hanging up half way keeps what was given; `registered_at` says that all was confirmed.
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

  answer(step: Step): Reply {
    if (!step.contact)
      return { twiml: letGo(this.script.number_hidden ? this.phrases('number_hidden') : [NUMBER_HIDDEN]) };
    if (!step.memory) return this.go(step, { question: 0, spoken: {}, restarts: 0 }, this.welcome());
    const standing = step.memory as unknown as Standing;
    const question = this.script.questions[standing.question];
    if (!question) return this.confirm(step, standing);
    const given = answerTo(question, step.keys);
    if (given === undefined) return this.notUnderstood(step, standing);
    const { value, spoken } = typeof given === 'string' ? { value: given, spoken: given } : given;
    const further = {
      ...standing,
      question: standing.question + 1,
      spoken: { ...standing.spoken, [question.key]: spoken },
    };
    return { ...this.go(step, further), write: { contact: { [question.key]: value } } };
  }

  private welcome(): Phrase[] {
    const { optOutKey } = this.config;
    const isAnswer = answerTo(this.script.questions[0]!, optOutKey ?? '') !== undefined;
    const optingOut = optOutKey && !isAnswer ? this.phrases('opt_out') : [];
    return [...this.phrases('welcome'), ...optingOut.map((phrase) => filled(phrase, { opt_out_key: optOutKey }))];
  }

  private confirm(step: Step, standing: Standing): Reply {
    if (step.keys === YES) {
      // Whoever registers wants to be called, whatever they said before.
      const optsIn = Object.hasOwn(step.contact?.metadata ?? {}, DO_NOT_CALL) && { [DO_NOT_CALL]: null };
      const write = { contact: { registered_at: step.at, ...optsIn } };
      return { twiml: letGo(this.phrases('thanks')), memory: {}, write };
    }
    const { restarts } = standing;
    if (step.keys === AGAIN && restarts < MOST_RESTARTS) {
      return this.go(step, { question: 0, spoken: {}, restarts: restarts + 1 });
    }
    return this.notUnderstood(step, standing);
  }

  private notUnderstood(step: Step, standing: Standing): Reply {
    if (step.keys === this.config.optOutKey) return optOut(step, this.phrases('opted_out'));
    return this.go(step, standing, [], step.asked);
  }

  /** Asks what comes where the caller stands now. */
  private go(step: Step, standing: Standing, before: Phrase[] = [], asked = 0): Reply {
    return { twiml: ask(step, this.question(standing, before), asked), memory: { ...standing } };
  }

  private question({ question: place, spoken }: Standing, before: Phrase[]): Question {
    const question = this.script.questions[place];
    const again = this.phrases('not_understood');
    const goodbye = this.phrases('goodbye');
    if (!question) {
      const asks = this.phrases('confirm').map((phrase) => filled(phrase, spoken));
      return { ask: asks, askAgain: [...again, ...asks], digits: 1, goodbye };
    }
    const asks = this.worded(question.ask);
    return { ask: [...before, ...asks], askAgain: [...again, ...asks], goodbye, ...digitsOf(question) };
  }

  private phrases(name: Exclude<keyof RegistrationScript, 'questions' | 'language' | 'voice'>): Phrase[] {
    return this.worded(this.script[name] ?? []);
  }

  private worded(given: Phrase | Phrase[]): Phrase[] {
    const { language, voice } = this.script;
    return (Array.isArray(given) ? given : [given]).map((phrase) =>
      typeof phrase === 'string' ? { text: phrase, language, voice } : phrase,
    );
  }
}

/** What keys mean as an answer; undefined when they mean nothing. */
function answerTo({ answers, number }: RegistrationQuestion, keys: string): Answer | undefined {
  if (answers) return Object.hasOwn(answers, keys) ? answers[keys] : undefined;
  const given = /^\d+$/.test(keys) ? Number(keys) : NaN;
  return number && given >= number.least && given <= number.most ? String(given) : undefined;
}

/** How many keys an answer has. */
function digitsOf({ answers, number }: RegistrationQuestion): Pick<Question, 'digits' | 'endsWithHash'> {
  const lengths = answers ? Object.keys(answers).map((keys) => keys.length) : [1, String(number?.most ?? 0).length];
  const digits = Math.max(...lengths);
  return { digits, endsWithHash: Math.min(...lengths) < digits };
}

/** A phrase with `{…}` replaced by what is spoken for it; what is too long for the provider is cut. */
function filled(phrase: Phrase, spoken: Metadata): Phrase {
  const fill = (text: string): string =>
    text
      .replaceAll(PLACEHOLDER, (whole, key: string) =>
        Object.hasOwn(spoken, key) ? (textOf(spoken[key]) ?? whole) : whole,
      )
      .slice(0, LONGEST_TEXT);
  if (typeof phrase === 'string') return fill(phrase);
  return 'text' in phrase ? { ...phrase, text: fill(phrase.text) } : phrase;
}

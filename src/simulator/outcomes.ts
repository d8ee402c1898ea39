import { createHash } from 'node:crypto';
import type { SimulatorConfig } from '../config/config.js';

/** What a person does when the phone rings. */
export interface Outcome {
  ending: 'answered' | 'busy' | 'no-answer' | 'failed';
  /** A machine answers, not a person. */
  machine: boolean;
  /** Seconds for which it rings until it is answered, or given up. */
  ring: number;
  /** The keys pressed at each question in turn; at a question beyond them, none. */
  keys: string[];
  hangsUpAtOnce: boolean;
}

/** What goes wrong with one request for a call. */
export type CreateFault = 'refused' | '429' | '500_before' | '500_after' | 'hang_before' | 'hang_after';

/** What goes wrong with the callbacks of one call. */
export type CallbackFault = 'lost' | 'doubled' | 'late' | 'reordered';

interface Forced extends Partial<Outcome> {
  create?: CreateFault;
  callbacks?: CallbackFault;
}

/**
 * The last four digits of a number may force what happens. (`refused` is Twilio's 21211, an invalid number; `hang`: the request is never
 * answered; before and after: the call is taken or not.)
 */
const forced: Readonly<Record<string, Forced>> = {
  '9900': { ending: 'answered', keys: [] },
  '9901': { ending: 'answered', keys: ['1'] },
  '9902': { ending: 'busy' },
  '9903': { ending: 'no-answer' },
  '9904': { ending: 'failed' },
  '9905': { ending: 'answered', machine: true, keys: [] },
  '9909': { ending: 'answered', keys: ['9'] },
  '9911': { ending: 'answered', hangsUpAtOnce: true },
  '9912': { ending: 'answered', keys: ['5', '5', '5'] },
  '9921': { create: 'refused' },
  '9929': { create: '429' },
  '9950': { create: '500_before' },
  '9951': { create: '500_after' },
  '9952': { create: 'hang_after' },
  '9953': { create: 'hang_before' },
  '9960': { ending: 'answered', callbacks: 'lost' },
  '9961': { ending: 'answered', callbacks: 'doubled' },
  '9962': { ending: 'answered', callbacks: 'late' },
  '9963': { ending: 'answered', callbacks: 'reordered' },
};

/** What the last digits of a number force. */
export function forcedBy(msisdn: string): Forced {
  return forced[msisdn.slice(-4)] ?? {};
}

/**
 * A number from 0 up to 1 that is the same for the same words: no decision hangs on the order in which calls come.
 */
export function draw(...words: (string | number)[]): number {
  return createHash('sha256').update(words.join('\n')).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** What happens in the `nth` call to (or from) a number. */
export function outcomeOf(shares: SimulatorConfig, msisdn: string, nth: number): Outcome {
  const chance = (of: string): number => draw(shares.seed, msisdn, nth, of);
  const fate = chance('fate');
  const unanswered = [
    ['busy', shares.busy],
    ['no-answer', shares.busy + shares.noAnswer],
    ['failed', shares.busy + shares.noAnswer + shares.failed],
  ] as const;
  const machine = chance('machine') < shares.machine;
  return {
    ending: unanswered.find(([, share]) => fate < share)?.[0] ?? 'answered',
    machine,
    ring: 2 + 16 * chance('ring'),
    keys: !machine && chance('keys') < shares.confirms ? ['1'] : [],
    hangsUpAtOnce: false,
    ...forcedBy(msisdn),
  };
}

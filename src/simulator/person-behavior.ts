import type { SimulatorConfig } from '../config/config.js';
import type { CallbackFault, RequestFault } from './faults.js';
import { hashToUnit } from '../random/hash-to-unit.js';

/** What a person does in one call. */
export interface PersonBehavior {
  ending: 'answered' | 'busy' | 'no-answer' | 'failed';
  /** Whether an answering machine answers. */
  machine: boolean;
  /** How long the phone rings until the call is answered or given up (simulated seconds). */
  ring: number;
  /** The keys pressed at each question in turn; none at further questions. */
  keys: string[];
  hangsUpAtOnce: boolean;
}

/** What a number forces. */
interface Forced extends Partial<PersonBehavior> {
  create?: RequestFault;
  callbacks?: CallbackFault;
}

/** What the last four digits of a number force. */
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

/** Returns what a number forces; empty if nothing. */
export function forcedBy(msisdn: string): Forced {
  return forced[msisdn.slice(-4)] ?? {};
}

/**
 * Returns what the person does in the `nth` call with a number. It depends only on the arguments, including the
 * configured seed.
 */
export function behaviorOf(config: SimulatorConfig, msisdn: string, nth: number): PersonBehavior {
  // The names are part of the hash: a new name would change what every seed means.
  const chance = (name: string): number => hashToUnit(config.seed, msisdn, nth, name);
  const outcome = chance('fate');
  const unanswered = [
    ['busy', config.busy],
    ['no-answer', config.busy + config.noAnswer],
    ['failed', config.busy + config.noAnswer + config.failed],
  ] as const;
  const machine = chance('machine') < config.machine;
  return {
    ending: unanswered.find(([, share]) => outcome < share)?.[0] ?? 'answered',
    machine,
    ring: 2 + 16 * chance('ring'),
    keys: !machine && chance('keys') < config.confirms ? ['1'] : [],
    hangsUpAtOnce: false,
    ...forcedBy(msisdn),
  };
}

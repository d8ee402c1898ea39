import { faultsSchema } from './faults.js';
import type { Outcome } from './outcomes.js';

/** A person who is to call in. */
export interface InboundCall {
  /** Whatever the provider would show: a number, `Anonymous`, a SIP address, nothing. */
  from: string;
  to: string;
  /** The keys pressed at each question in turn; `hangup` ends the call there. */
  keys: string[];
  /** The webhook that is asked; ours unless given. */
  url?: string;
  /** Answer only when the call is over, with its transcript. */
  wait: boolean;
}

/** A call that another party on the same account places. */
export interface ForeignCall {
  to: string;
  from: string;
}

/** What somebody does when called; what is left out is drawn by lot. */
export type Person = Partial<Outcome>;

/** As long as a SIP address may be. */
const end = { type: 'string', minLength: 1, maxLength: 256 };
const keys = { type: 'array', items: { type: 'string', pattern: '^(hangup|[0-9*#]{0,100})$' }, maxItems: 100 };
const flag = { type: 'boolean' };
const object = (properties: object, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

/** JSON schemas of what the controls take. */
export const schemas = {
  inboundCall: {
    body: object(
      {
        from: { ...end, minLength: 0 },
        to: end,
        keys: { ...keys, default: [] },
        url: { type: 'string', pattern: '^https?://', maxLength: 4_000 },
        wait: { ...flag, default: false },
      },
      ['from', 'to'],
    ),
  },
  foreignCall: { body: object({ to: end, from: end }, ['to', 'from']) },
  person: {
    params: object({ msisdn: end }, ['msisdn']),
    body: object({
      keys,
      machine: flag,
      ending: { enum: ['answered', 'busy', 'no-answer', 'failed'] },
      hangsUpAtOnce: flag,
      ring: { type: 'number', minimum: 0, maximum: 600 },
    }),
  },
  faults: { body: faultsSchema },
};

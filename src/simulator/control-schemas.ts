import { faultsSchema } from './faults.js';
import type { PersonBehavior } from './person-behavior.js';

/** A request for a person to call in. */
export interface InboundCall {
  /** Who calls, as the provider shows it: a number, `Anonymous`, a SIP address, an empty text. */
  from: string;
  to: string;
  /** The keys to press at each question in turn; `hangup` ends the call there. */
  keys: string[];
  /** The webhook to request; by default this program's. */
  url?: string;
  /** Whether to respond only when the call is over. */
  wait: boolean;
}

/** A request for a call that another party on the same account places. */
export interface ForeignCall {
  to: string;
  from: string;
}

/** What a person does when called. Absent properties are picked at random. */
export type PersonSettings = Partial<PersonBehavior>;

/** A caller or a called number; long enough for a SIP address. */
const address = { type: 'string', minLength: 1, maxLength: 256 };
const keys = { type: 'array', items: { type: 'string', pattern: '^(hangup|[0-9*#]{0,100})$' }, maxItems: 100 };
const flag = { type: 'boolean' };
const object = (properties: object, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

/** The JSON schemas of the controls' requests. */
export const schemas = {
  inboundCall: {
    body: object(
      {
        from: { ...address, minLength: 0 },
        to: address,
        keys: { ...keys, default: [] },
        url: { type: 'string', pattern: '^https?://', maxLength: 4_000 },
        wait: { ...flag, default: false },
      },
      ['from', 'to'],
    ),
  },
  foreignCall: { body: object({ to: address, from: address }, ['to', 'from']) },
  person: {
    params: object({ msisdn: address }, ['msisdn']),
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

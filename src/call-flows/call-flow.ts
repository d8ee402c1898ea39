import twilio from 'twilio';
import type { FieldErrors } from '../errors/errors.js';
import type { Metadata } from '../metadata/metadata.js';
import type { CallFlowName } from './call-flow.names.js';

/** A TwiML document in the making. */
export type VoiceResponse = InstanceType<typeof twilio.twiml.VoiceResponse>;

/** Whom a call is with, and what it is about, as stored when the step began. */
export interface Scene {
  phoneCall: { id: number; msisdn: string; metadata: Metadata };
  /** Null when the caller's number is not known: then nothing can be written to a contact. */
  contact: { id: number; msisdn: string; metadata: Metadata } | null;
  /** Null when a person calls in who was not called. */
  participation: { id: number; metadata: Metadata } | null;
  callout: { id: number; status: string; metadata: Metadata } | null;
}

/** One step of a call: what was heard, and where the caller stands. */
export interface Step extends Scene {
  /** The whole webhook, as received: `CallStatus`, `Digits`… Empty when the call is about to be dialled. */
  event: Readonly<Metadata>;
  /** What the flow's last reply remembered; undefined at the first step. */
  memory: Readonly<Metadata> | undefined;
  /** The keys that were pressed, finishing key excluded; '' when there were none. */
  keys: string;
  /** How often the question had been asked when they were pressed. */
  asked: number;
  /** The provider takes whoever answered for a machine. */
  byMachine: boolean;
  /** When the step happens: ISO 8601, by the database's clock. */
  at: string;
  /** The URL to which the answer to a question goes, which by then has been asked so often. */
  next(asked: number): string;
}

/** Metadata to be merged, top level, into that of the records of the scene, in the step's own transaction. */
export type Writes = Partial<Record<'phoneCall' | 'contact' | 'participation' | 'callout', Metadata>>;

/** What one step comes to. */
export interface Reply {
  twiml: VoiceResponse;
  /** What the next step is told. */
  memory?: Metadata;
  write?: Writes;
}

/** There is nothing to say: nobody is to be called for it. `message` says what is missing. */
export class NothingToSay extends Error {}

/**
 * What is said on the phone. Each webhook of a call is one step: `answer` decides by nothing but what it is told, changes nothing itself,
 * and remembers by what it returns; so any process can take any step, and a repeated step gets the stored answer without it.
 */
export abstract class CallFlow {
  abstract readonly name: CallFlowName;

  /**
   * The answer to one step.
   * @throws NothingToSay at the first step, when the callout does not say what it takes
   */
  abstract answer(step: Step): Reply;

  /** What is wrong with the metadata of a callout that is to be started with this flow, by key. */
  refusals(_calloutMetadata: Metadata): FieldErrors {
    return {};
  }

  /** What is to be taken back when it turns out, after some steps, that a machine has answered. */
  onMachine(_scene: Scene, _memory: Readonly<Metadata>): Writes {
    return {};
  }
}

/** An empty document. */
export function voiceResponse(): VoiceResponse {
  return new twilio.twiml.VoiceResponse();
}

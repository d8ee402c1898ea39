import twilio from 'twilio';
import type { FieldErrors } from '../errors/errors.js';
import type { Metadata } from '../metadata/metadata.js';
import type { CallFlowName } from './call-flow.names.js';

/** A TwiML document under construction. */
export type VoiceResponse = InstanceType<typeof twilio.twiml.VoiceResponse>;

/** The records that a call belongs to, as stored when the step begins. */
export interface CallContext {
  phoneCall: { id: number; msisdn: string; metadata: Metadata };
  /** Null when the caller's number is unknown: then no contact can be written to. */
  contact: { id: number; msisdn: string; metadata: Metadata } | null;
  /** Null for an inbound call that does not return a call of ours. */
  participation: { id: number; metadata: Metadata } | null;
  callout: { id: number; status: string; metadata: Metadata } | null;
}

/** One step of a call: the records, the provider's webhook and what the flow remembers. */
export interface CallFlowStep extends CallContext {
  /** All parameters of the webhook, as received: `CallStatus`, `Digits`… Empty before the call is dialed. */
  params: Readonly<Metadata>;
  /** The memory that the flow's last reply returned; undefined at the first step. */
  memory: Readonly<Metadata> | undefined;
  /** The keys that the person pressed, without the finishing key; '' if none. */
  keys: string;
  /** How often the question had been asked when the keys were pressed; 0 at the first step. */
  timesAsked: number;
  /** Whether the provider detected an answering machine. */
  answeredByMachine: boolean;
  /** The time of the step: ISO 8601, by the database's clock. */
  at: string;
  /**
   * @param timesAsked how often the question will have been asked when the answer arrives
   * @returns the URL that takes the answer to a question: a `Gather`'s `action`
   */
  actionUrl(timesAsked: number): string;
}

/** Metadata to merge into the records of a call, key by key at the top level, in the step's transaction. */
export type MetadataWrites = Partial<Record<keyof CallContext, Metadata>>;

/** What a flow returns for one step. */
export interface Reply {
  twiml: VoiceResponse;
  /** Passed to the next step as its `memory`; `{}` if absent. */
  memory?: Metadata;
  write?: MetadataWrites;
}

/** The flow has nothing to say, so nobody is called. `message` says what is missing. */
export class NothingToSayError extends Error {}

/**
 * What is said in a call. Each webhook of a call is one step. A flow is stateless: `reply` depends only on its
 * argument, has no side effects, and returns what to write and what to remember. Therefore any process can handle any
 * step. A webhook that is delivered again gets the stored reply; the flow is not called.
 */
export abstract class CallFlow {
  abstract readonly name: CallFlowName;

  /**
   * Returns what to say in one step.
   * @throws NothingToSayError at the first step, if the callout's metadata lacks what the flow needs
   */
  abstract reply(step: CallFlowStep): Reply;

  /**
   * Checks the metadata of a callout that is about to start, or that is changed while it runs.
   * @returns the errors by metadata key; empty if the callout may run with this flow
   */
  validateMetadata(_calloutMetadata: Metadata): FieldErrors {
    return {};
  }

  /**
   * Called once, when an answering machine is detected after the flow has replied.
   * @returns the writes that revert what the machine appeared to answer
   */
  onMachineDetected(_context: CallContext, _memory: Readonly<Metadata>): MetadataWrites {
    return {};
  }
}

/** Returns an empty TwiML document. */
export function voiceResponse(): VoiceResponse {
  return new twilio.twiml.VoiceResponse();
}

import type { Metadata } from '../metadata/metadata.js';
import type { CallFlowName } from './call-flow.names.js';

/** Where a caller stands: what was said last, and which answer is awaited. */
export interface Standing {
  /** The step that is awaited; the first answer is step 1. */
  step: number;
  /** Who asks for a step that is over, or not there yet, hears this again. */
  twiml: string;
  /** What the flow remembers. */
  memory: Metadata;
}

/** What is stored with a call of its conversation. */
export interface CallFlowState {
  /** The flow that began it: it goes on with no other, whatever is written to the callout meanwhile. */
  flow?: CallFlowName;
  standing?: Standing;
  /** The flow knows that it speaks with a machine. */
  machine?: boolean;
  /** The participation that an inbound call is about: its callout called that person before. */
  participation_id?: number;
}

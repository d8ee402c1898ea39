import type { Metadata } from '../metadata/metadata.js';
import type { CallFlowName } from './call-flow.names.js';

/** The step that a call waits at. Stored as JSON, so these keys must stay readable. */
export interface CurrentStep {
  /** The number of the step that the next answer belongs to; the first answer is step 1. */
  step: number;
  /** The last document. It is repeated when a webhook belongs to any other step. */
  twiml: string;
  /** What the flow remembers. */
  memory: Metadata;
}

/** The progress of a call through its flow: the JSON column `phone_calls.call_flow_state`. */
export interface CallFlowState {
  /** The flow that the call began with. The call keeps it, even if its callout is given another one. */
  flow?: CallFlowName;
  /** The current step; absent until a reply was stored. The key is part of the stored data and keeps its name. */
  standing?: CurrentStep;
  /** Whether an answering machine was detected and `CallFlow.onMachineDetected` has run. */
  machine?: boolean;
  /** For an inbound call that returns a call of ours: the participation that was called. */
  participation_id?: number;
}

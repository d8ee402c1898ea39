import type { CallFlowName } from './call-flow.names.js';

/** What one webhook tells a call flow. */
export interface CallFlowEvent {
  /** The whole webhook, as received: `CallStatus`, `Digits`… */
  details: Readonly<Record<string, unknown>>;
}

/** What is said on the phone. Each webhook of a call is one step, and answers what happens next. */
export abstract class CallFlow {
  abstract readonly name: CallFlowName;

  /** The TwiML that answers the event. The same event has the same answer. */
  abstract answer(event: CallFlowEvent): string;
}

import { Injectable, Logger } from '@nestjs/common';
import { loggableError } from '../logging/loggable-error.js';
import { booleanOf, isBlank, textOf } from '../metadata/client-values.js';
import { type Metadata, mergeMetadata } from '../metadata/metadata.js';
import { isMachine } from '../outcomes/call-result.js';
import type { Transaction } from '../database/transaction.js';
import { type FlowPhoneCall, selectCallContexts } from './call-context-rows.js';
import { CallFlowRegistry } from './call-flow-registry.js';
import type { CallFlowState, CurrentStep } from './call-flow-state.js';
import {
  type CallContext,
  type CallFlow,
  type CallFlowStep,
  type MetadataWrites,
  NothingToSayError,
  type Reply,
  voiceResponse,
} from './call-flow.js';
import { sayAndHangUp } from './question.js';
import { answeredStep, timesAsked, webhookUrl } from './webhook-url.js';

/** The longest `Twiml` parameter of a call, in characters. Source: Twilio's create-call request. */
const MAX_INLINE_TWIML = 4_000;

/** More keys than any question takes. */
const MAX_KEYS = 32;

/** The statuses in which the provider requests instructions. A webhook with any other status only reports it. */
const INTERACTIVE_STATUSES: readonly unknown[] = ['ringing', 'in-progress'];

/** The reply to a webhook whose reply the provider ignores, and to one whose flow failed. */
const EMPTY_DOCUMENT = voiceResponse().toString();

/** A reply with its document as text. */
type RenderedReply = Omit<Reply, 'twiml'> & { twiml: string };

/** A webhook of a call, as the runner needs it. */
export interface CallWebhook {
  /** All its parameters. */
  details: Metadata;
  /** The query of its URL. We chose it; see `webhookUrl`. */
  query: URLSearchParams;
  /** The origin of this program as the provider reaches it, without a slash at the end. */
  origin: string;
}

/** A call with everything that its flow needs. */
export interface LoadedCall {
  callFlow: CallFlow;
  context: CallContext;
  /** When it was loaded: ISO 8601, by the database's clock. */
  at: string;
}

/** What a call looks like after the provider said who answered. Nothing of it is stored yet. */
export interface AnsweredByResult {
  callFlow: CallFlow;
  context: CallContext;
  /** The new `call_flow_state` of the phone call. */
  state: CallFlowState;
  /** The new `metadata` of the phone call. */
  metadata: Metadata;
  /** The metadata to merge into the other records: see `persistWrites`. */
  writes: MetadataWrites;
}

/** The result of one step. Nothing of it is stored yet. */
export interface StepResult extends AnsweredByResult {
  /** The document to respond with. */
  twiml: string;
}

/**
 * Runs calls through their flows, one webhook a step. The progress is stored with the call, except for a first document
 * that was sent with the call itself: it is built again when the first answer arrives.
 */
@Injectable()
export class CallFlowRunner {
  private readonly logger = new Logger('CallFlow');

  constructor(private readonly registry: CallFlowRegistry) {}

  /**
   * Loads the flow and the records of each call, in one statement.
   * @returns the loaded calls, in the order of `calls`
   */
  async loadContexts(transaction: Transaction, calls: readonly FlowPhoneCall[]): Promise<LoadedCall[]> {
    const rows = await selectCallContexts(transaction, calls);
    return rows.map(({ context, at, participationFlow, calloutFlow }, index) => {
      const { call_flow_state, call_flow_logic } = calls[index]!;
      const callFlow = this.registry.resolve(call_flow_state?.flow, call_flow_logic, participationFlow, calloutFlow);
      return { callFlow, context, at };
    });
  }

  /**
   * Returns the first document, to be sent with the call itself, so that the provider need not request it while the
   * phone rings.
   * @returns undefined if the provider must request it: it is too long, or depends on who answers
   * @throws NothingToSayError if the flow has nothing to say, or rejects the callout's metadata
   */
  inlineTwiml(loaded: LoadedCall, call: FlowPhoneCall, origin: string): string | undefined {
    const { twiml, write } = loaded.callFlow.reply(toStep(loaded, call, origin, 1));
    const [error] = Object.entries(loaded.callFlow.validateMetadata(loaded.context.callout?.metadata ?? {}));
    if (error) throw new NothingToSayError(`The callout's ${error[0]} ${error[1].join(', ')}`);
    const document = twiml.toString();
    const mustBeRequested =
      document.length > MAX_INLINE_TWIML || waitsForDetection(call.remote_request_params) || write !== undefined;
    return mustBeRequested ? undefined : document;
  }

  /**
   * Runs the step that a webhook belongs to. The flow replies only to the current step, and to the request for the
   * first document. Any other request for instructions gets the last document again. A webhook that only reports a
   * status gets an empty document.
   * @param call its row must be locked by the caller's transaction
   */
  runStep(loaded: LoadedCall, call: FlowPhoneCall, { details, query, origin }: CallWebhook): StepResult {
    const { callFlow } = loaded;
    const { AnsweredBy: answeredBy } = details;
    const result = this.applyAnsweredBy(loaded, call, typeof answeredBy === 'string' ? answeredBy : '');
    const emptyResult = { ...result, twiml: EMPTY_DOCUMENT };
    const answered = answeredStep(query);
    if (answered === undefined && !requestsInstructions(details)) return emptyResult;

    const firstReply = () => this.reply(callFlow, toStep(loaded, call, origin, 1, { params: details }));
    const { standing: stored } = result.state;
    if (answered === undefined) {
      if (stored) return { ...result, twiml: stored.twiml };
      const reply = firstReply();
      return reply ? advance(result, reply, 1) : emptyResult;
    }

    const { step, twiml, memory } = stored ?? inlineStep(firstReply());
    if (answered !== step) return { ...result, twiml };
    const input = { params: details, timesAsked: timesAsked(query), memory };
    const reply = this.reply(callFlow, toStep(loaded, call, origin, answered + 1, input));
    return reply ? advance(result, reply, answered + 1) : emptyResult;
  }

  /**
   * Records who answered. When a machine is detected, for the first time and after the flow has replied, the flow may
   * revert its writes.
   * @param answeredBy the provider's `AnsweredBy`; '' if it does not say
   */
  applyAnsweredBy({ callFlow, context }: LoadedCall, call: FlowPhoneCall, answeredBy: string): AnsweredByResult {
    const state = { ...call.call_flow_state, flow: callFlow.name };
    context.phoneCall.metadata = answeredBy ? mergeMetadata(call.metadata, { answered_by: answeredBy }) : call.metadata;
    const { metadata } = context.phoneCall;
    if (state.machine || !isMachine(metadata.answered_by)) return { callFlow, context, state, metadata, writes: {} };
    const writes = this.revertedWrites(callFlow, context, state);
    return { callFlow, context, state: { ...state, machine: true }, metadata, writes };
  }

  private revertedWrites(callFlow: CallFlow, context: CallContext, { standing }: CallFlowState): MetadataWrites {
    if (!standing) return {};
    try {
      return callFlow.onMachineDetected(context, standing.memory);
    } catch (error) {
      this.logFailure(callFlow, context, error);
      return {};
    }
  }

  /**
   * Calls the flow. A flow that has nothing to say replies with a goodbye. A failure is logged: the webhook is
   * processed whatever the flow does.
   * @returns undefined if the flow failed
   */
  private reply(callFlow: CallFlow, step: CallFlowStep): RenderedReply | undefined {
    try {
      const { twiml, memory, write } = callFlow.reply(step);
      return { twiml: twiml.toString(), memory, write };
    } catch (error) {
      if (error instanceof NothingToSayError)
        return { twiml: sayAndHangUp(['There is no message for you now. Goodbye.']).toString() };
      this.logFailure(callFlow, step, error);
      return undefined;
    }
  }

  private logFailure({ name }: CallFlow, { phoneCall }: CallContext, error: unknown): void {
    const { stack } = loggableError(error);
    this.logger.error(`${name} failed in phone call ${phoneCall.id}: ${stack}`);
  }
}

/** @param awaitedStep the number of the step that the answer to this one belongs to */
function toStep(
  { context, at }: LoadedCall,
  call: FlowPhoneCall,
  origin: string,
  awaitedStep: number,
  { params = {}, timesAsked = 0, memory }: Partial<Pick<CallFlowStep, 'params' | 'timesAsked' | 'memory'>> = {},
): CallFlowStep {
  return {
    ...context,
    params,
    memory,
    keys: typeof params.Digits === 'string' ? params.Digits.slice(0, MAX_KEYS) : '',
    timesAsked,
    answeredByMachine: isMachine(context.phoneCall.metadata.answered_by),
    at,
    actionUrl: (timesAsked) => webhookUrl(origin, call.id, { timesAsked, step: awaitedStep }),
  };
}

/** Whether the provider detects machines before it requests the first document, which may depend on the result. */
function waitsForDetection({ machine_detection, async_amd }: Metadata): boolean {
  const detects = !isBlank(machine_detection) && textOf(machine_detection)?.toLowerCase() !== 'none';
  return detects && booleanOf(async_amd) !== true;
}

/** Whether the provider performs the reply to a webhook. Otherwise the webhook is a status callback. */
function requestsInstructions({ CallStatus, SequenceNumber, CallbackSource }: Metadata): boolean {
  return SequenceNumber === undefined && CallbackSource === undefined && INTERACTIVE_STATUSES.includes(CallStatus);
}

function toCurrentStep({ twiml, memory = {} }: RenderedReply, step: number): CurrentStep {
  return { step, twiml, memory };
}

/** The current step of a call whose first document was sent with the call. No answer matches it if the flow failed. */
function inlineStep(firstReply: RenderedReply | undefined): CurrentStep {
  return firstReply ? toCurrentStep(firstReply, 1) : { step: 0, twiml: EMPTY_DOCUMENT, memory: {} };
}

function advance(result: AnsweredByResult, reply: RenderedReply, step: number): StepResult {
  const { phoneCall, ...writes } = { ...result.writes, ...reply.write };
  const standing = toCurrentStep(reply, step);
  const metadata = mergeMetadata(result.metadata, phoneCall ?? {});
  return { ...result, state: { ...result.state, standing }, twiml: standing.twiml, metadata, writes };
}

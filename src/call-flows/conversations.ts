import { Injectable, Logger } from '@nestjs/common';
import sql from 'sql-template-tag';
import type { EntityTarget, FindOptionsWhere } from 'typeorm';
import { CalloutParticipation } from '../callout-participations/callout-participation.entity.js';
import { Callout } from '../callouts/callout.entity.js';
import { Contact } from '../contacts/contact.entity.js';
import { given, json, now, timestamp } from '../database/dialect.js';
import { locked } from '../database/rows.js';
import type { Transaction } from '../database/transaction.js';
import { booleanOf, isBlank, textOf } from '../metadata/client-values.js';
import { type Metadata, mergeMetadata } from '../metadata/metadata.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import type { CallFlowState, Standing } from './call-flow-state.js';
import { loggableError } from '../logging/loggable-error.js';
import {
  type CallFlow,
  NothingToSay,
  type Reply,
  type Scene,
  type Step,
  type Writes,
  voiceResponse,
} from './call-flow.js';
import { CallFlows } from './call-flows.js';
import { letGo } from './question.js';

/** Twilio's longest `Twiml` parameter of a call, in characters. Source: its create-call request. */
const LONGEST_INLINE = 4_000;

/** More keys than any question takes. */
const MOST_KEYS = 32;

/** In these statuses a call can ask for instructions. A webhook with any other status only reports it. */
const CONVERSING = ['ringing', 'in-progress'];

/** Says nothing: the answer to a webhook whose answer the provider does not perform, and to one that our flow failed to answer. */
const EMPTY_DOCUMENT = voiceResponse().toString();

/** The records that flows write to, beside the phone call. */
const WRITTEN = [
  ['contact', Contact],
  ['participation', CalloutParticipation],
  ['callout', Callout],
] as const;

/** What a call flow said in one step, as a document. */
type Answer = Omit<Reply, 'twiml'> & { document: string };

/** One webhook of a call, as far as its flow is concerned. */
export interface Heard {
  /** All its parameters. */
  details: Metadata;
  /** Those of its URL that we gave the provider. */
  query: URLSearchParams;
  /** Where the outside reaches us, without a slash at the end. */
  origin: string;
}

/** What a webhook comes to; nothing of it is stored before `keep`. */
export interface Turn {
  callFlow: CallFlow;
  twiml: string;
  /** The state and the metadata that the call has from now on. */
  state: CallFlowState;
  metadata: Metadata;
  /** Metadata for the other records of the scene. */
  writes: Writes;
  scene: Scene;
}

/** What a conversation needs of a phone call. */
export type ConversingCall = Pick<
  PhoneCall,
  | 'id'
  | 'msisdn'
  | 'metadata'
  | 'contact_id'
  | 'callout_participation_id'
  | 'call_flow_logic'
  | 'call_flow_state'
  | 'remote_request_params'
>;

/** A call with all that its flow is told. */
export interface Staged {
  callFlow: CallFlow;
  scene: Scene;
  at: string;
}

/**
 * Takes calls through their flows, one webhook a step. Where a caller stands is what is stored with the call; a first document that was
 * sent with the call itself is not stored, since it follows from the rest.
 */
@Injectable()
export class Conversations {
  private readonly logger = new Logger('CallFlow');

  constructor(private readonly callFlows: CallFlows) {}

  /** The step that a webhook is the answer of; undefined when it is none. */
  static stepOf(query: URLSearchParams): number | undefined {
    const step = query.get('phone_call_id') === null ? null : query.get('step');
    return step !== null && /^[1-9]\d{0,5}$/.test(step) ? Number(step) : undefined;
  }

  /**
   * Our webhook. That of a call has our own id in it, which finds the call before the provider's id is known. The parameters are in alphabetical
   * order: a provider may sort a URL's query before it sends the request, and sign it unsorted (twilio-php#790, twilio-node#1079).
   */
  static webhookOf(
    origin: string,
    phoneCallId?: number,
    { asked, step }: { asked?: number; step?: number } = {},
  ): string {
    const parameters = Object.entries({ asked, phone_call_id: phoneCallId, step }).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    );
    return [`${origin}/api/remote_phone_call_events`, ...(parameters.length > 0 ? [parameters.join('&')] : [])].join(
      '?',
    );
  }

  /**
   * The document that can be sent with the call itself, so that our server need not answer while it rings; undefined when it is too long, or
   * depends on who answers.
   * @throws NothingToSay when the flow refuses to start with the callout's metadata
   */
  opening(staged: Staged, call: ConversingCall, origin: string): string | undefined {
    const { twiml, write } = staged.callFlow.answer(stepOf(staged, call, origin, 1));
    const [refusal] = Object.entries(staged.callFlow.refusals(staged.scene.callout?.metadata ?? {}));
    if (refusal) throw new NothingToSay(`The callout's ${refusal[0]} ${refusal[1].join(', ')}`);
    const document = twiml.toString();
    return document.length > LONGEST_INLINE || hangsOnWho(call.remote_request_params) || write ? undefined : document;
  }

  /** What a webhook of a call, whose row is held, comes to. */
  hear(staged: Staged, call: ConversingCall, { details, query, origin }: Heard): Turn {
    const { callFlow } = staged;
    const { AnsweredBy: answeredBy } = details;
    const turn = this.learn(staged, call, typeof answeredBy === 'string' ? answeredBy : '');
    const silence = { ...turn, twiml: EMPTY_DOCUMENT };
    const answered = Conversations.stepOf(query);
    if (answered === undefined && !asksWhatToSay(details)) return silence;
    const first = (): Answer | undefined => this.answer(callFlow, stepOf(staged, call, origin, 1, { event: details }));
    const { standing } = turn.state;
    if (answered === undefined) {
      if (standing) return { ...turn, twiml: standing.twiml };
      const answer = first();
      return answer ? movedOn(turn, answer, 1) : silence;
    }
    const opening = standing ? undefined : first();
    const {
      step: awaited,
      twiml,
      memory,
    } = standing ?? (opening ? standingOf(opening, 1) : { step: 0, twiml: EMPTY_DOCUMENT, memory: {} });
    if (answered !== awaited) return { ...turn, twiml };
    const answer = this.answer(callFlow, stepOf(staged, call, origin, answered + 1, { event: details, query, memory }));
    return answer ? movedOn(turn, answer, answered + 1) : silence;
  }

  /**
   * What a flow says in one step. A caller with whom there is nothing to talk about hears a goodbye. A flow that fails is logged, and undefined
   * is returned: the webhook is taken in whatever the flow does.
   */
  private answer(callFlow: CallFlow, step: Step): Answer | undefined {
    try {
      const { twiml, memory, write } = callFlow.answer(step);
      return { document: twiml.toString(), memory, write };
    } catch (error) {
      if (error instanceof NothingToSay)
        return { document: letGo(['There is no message for you now. Goodbye.']).toString() };
      this.logFailure(callFlow, step, error);
      return undefined;
    }
  }

  private logFailure({ name }: CallFlow, { phoneCall }: Scene, error: unknown): void {
    const { stack } = loggableError(error);
    this.logger.error(`${name} failed in phone call ${phoneCall.id}: ${stack}`);
  }

  /**
   * What it comes to that the provider says who answered, or '' if it does not: it is kept with the call, and a flow that has spoken with a
   * machine takes back, once, what it believed.
   */
  learn({ callFlow, scene }: Staged, call: ConversingCall, answeredBy: string): Omit<Turn, 'twiml'> {
    const state = { ...call.call_flow_state, flow: callFlow.name };
    scene.phoneCall.metadata = answeredBy ? mergeMetadata(call.metadata, { answered_by: answeredBy }) : call.metadata;
    const { metadata } = scene.phoneCall;
    if (state.machine || !isMachine(metadata.answered_by)) return { callFlow, scene, state, metadata, writes: {} };
    return {
      callFlow,
      scene,
      state: { ...state, machine: true },
      metadata,
      writes: this.takenBack(callFlow, scene, state),
    };
  }

  private takenBack(callFlow: CallFlow, scene: Scene, { standing }: CallFlowState): Writes {
    if (!standing) return {};
    try {
      return callFlow.onMachine(scene, standing.memory);
    } catch (error) {
      this.logFailure(callFlow, scene, error);
      return {};
    }
  }

  /** Writes what flows have decided to the other records of their scenes: to each table in the order of ids, which is the order of locks. */
  async keep(transaction: Transaction, turns: readonly Pick<Turn, 'writes' | 'scene'>[]): Promise<void> {
    for (const [record, entity] of WRITTEN) {
      const writes = turns.flatMap(({ scene, writes: { [record]: metadata } }) => {
        const id = scene[record]?.id;
        return id !== undefined && metadata ? [{ id, metadata }] : [];
      });
      for (const { id, metadata } of writes.toSorted((one, other) => one.id - other.id)) {
        await merge(transaction, entity, id, metadata);
      }
    }
  }

  /** Each of the calls, in their order, with all that its flow is told, as the transaction sees it. */
  async stageAll(transaction: Transaction, calls: ConversingCall[]): Promise<Staged[]> {
    const told = calls.map(({ id, contact_id, callout_participation_id, call_flow_state }) => ({
      id,
      contact_id,
      participation_id: callout_participation_id ?? call_flow_state?.participation_id ?? null,
    }));
    const columns = { id: 'bigint', contact_id: 'bigint', participation_id: 'bigint' } as const;
    const rows =
      await transaction.query<StageRow>(sql`SELECT told.id AS phone_call_id, contacts.msisdn, contacts.metadata AS contact_metadata,
          callout_participations.id AS participation_id, callout_participations.metadata AS participation_metadata,
          callout_participations.call_flow_logic AS participation_flow,
          callouts.id AS callout_id, callouts.status, callouts.metadata AS callout_metadata,
          callouts.call_flow_logic AS callout_flow, ${now} AS at
        FROM ${given('told', columns, told)}
        LEFT JOIN contacts ON contacts.id = told.contact_id
        LEFT JOIN callout_participations ON callout_participations.id = told.participation_id
        LEFT JOIN callouts ON callouts.id = callout_participations.callout_id`);
    const byCall = new Map(rows.map((row) => [row.phone_call_id, row]));
    return calls.map((call) => this.staged(call, byCall.get(call.id)!));
  }

  private staged(call: ConversingCall, row: StageRow): Staged {
    const { participation_id, callout_id, status } = row;
    return {
      callFlow: this.callFlows.chosen(
        call.call_flow_state?.flow,
        call.call_flow_logic,
        row.participation_flow,
        row.callout_flow,
      ),
      at: timestamp(row.at),
      scene: {
        phoneCall: { id: call.id, msisdn: call.msisdn, metadata: call.metadata },
        contact:
          call.contact_id === null || row.msisdn === null
            ? null
            : { id: call.contact_id, msisdn: row.msisdn, metadata: json(row.contact_metadata) },
        participation:
          participation_id === null ? null : { id: participation_id, metadata: json(row.participation_metadata) },
        callout: callout_id === null ? null : { id: callout_id, status, metadata: json(row.callout_metadata) },
      },
    };
  }
}

/** As the driver hands it over. */
interface StageRow {
  phone_call_id: number;
  msisdn: string | null;
  contact_metadata: unknown;
  participation_id: number | null;
  participation_metadata: unknown;
  participation_flow: string | null;
  callout_id: number | null;
  status: string;
  callout_metadata: unknown;
  callout_flow: string | null;
  at: unknown;
}

/** @param awaits the step that the answer to this one will be */
function stepOf(
  { scene, at }: Staged,
  call: ConversingCall,
  origin: string,
  awaits: number,
  { event = {}, query, memory }: { event?: Metadata; query?: URLSearchParams; memory?: Metadata } = {},
): Step {
  const asked = Number(/^\d{1,2}$/.exec(query?.get('asked') ?? '')?.[0] ?? 0);
  const keys = typeof event.Digits === 'string' ? event.Digits.slice(0, MOST_KEYS) : '';
  return {
    ...scene,
    event,
    memory,
    keys,
    asked,
    byMachine: isMachine(scene.phoneCall.metadata.answered_by),
    at,
    next: (asked) => Conversations.webhookOf(origin, call.id, { asked, step: awaits }),
  };
}

/** Whether the first document hangs on who answers: the provider is to find that out before it asks for it. */
function hangsOnWho({ machine_detection, async_amd }: Metadata): boolean {
  const detects = !isBlank(machine_detection) && textOf(machine_detection)?.toLowerCase() !== 'none';
  return detects && booleanOf(async_amd) !== true;
}

/** Whether a machine has answered, in the provider's words. Source: https://www.twilio.com/docs/voice/answering-machine-detection */
function isMachine(answeredBy: unknown): boolean {
  return answeredBy === 'fax' || (typeof answeredBy === 'string' && answeredBy.startsWith('machine_'));
}

/** The provider asks what is to be said; otherwise it only tells how the call stands, and performs no answer. */
function asksWhatToSay({ CallStatus, SequenceNumber, CallbackSource }: Metadata): boolean {
  return SequenceNumber === undefined && CallbackSource === undefined && CONVERSING.some((one) => one === CallStatus);
}

function standingOf({ document, memory = {} }: Answer, step: number): Standing {
  return { step, twiml: document, memory };
}

function movedOn(turn: Omit<Turn, 'twiml'>, reply: Answer, step: number): Turn {
  const { phoneCall, ...writes } = { ...turn.writes, ...reply.write };
  const standing = standingOf(reply, step);
  const metadata = mergeMetadata(turn.metadata, phoneCall ?? {});
  return { ...turn, state: { ...turn.state, standing }, twiml: standing.twiml, metadata, writes };
}

async function merge<T extends { id: number; metadata: Metadata }>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  id: number,
  given: Metadata,
): Promise<void> {
  const { metadata } = await locked(transaction, entity, id);
  const changes = { metadata: mergeMetadata(metadata, given), updated_at: () => now.text };
  await transaction.update(entity, { id } as FindOptionsWhere<T>, changes);
}

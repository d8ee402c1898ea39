import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import type { EntityManager, EntityTarget } from 'typeorm';
import { CalloutParticipation } from '../callout-participations/callout-participation.entity.js';
import { Callout } from '../callouts/callout.entity.js';
import { Contact } from '../contacts/contact.entity.js';
import { given, json, now, timestamp } from '../database/dialect.js';
import { locked } from '../database/rows.js';
import { rowsOf } from '../database/statements.js';
import { type Metadata, mergeMetadata } from '../metadata/metadata.js';
import type { PhoneCall } from '../phone-calls/phone-call.entity.js';
import type { CallFlowState, Standing } from './call-flow-state.js';
import { type CallFlow, NothingToSay, type Reply, type Scene, type Step, type Writes } from './call-flow.js';
import { CallFlows } from './call-flows.js';
import { letGo } from './question.js';

/** Twilio's longest `Twiml` parameter of a call, in characters. Source: its create-call request. */
const LONGEST_INLINE = 4_000;

/** More keys than any question takes. */
const MOST_KEYS = 32;

/** In these a call can ask what is to be said; in any other its webhook only tells how it stands. */
const CONVERSING = ['ringing', 'in-progress'];

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
  constructor(private readonly callFlows: CallFlows) {}

  /** The step that a webhook is the answer of; undefined when it is none. */
  static stepOf(query: URLSearchParams): number | undefined {
    const step = query.get('phone_call_id') === null ? null : query.get('step');
    return step !== null && /^[1-9]\d{0,5}$/.test(step) ? Number(step) : undefined;
  }

  /** Our webhook; that of a call has our own id in it, which finds the call before the provider's is known. */
  static webhookOf(origin: string, phoneCallId?: number): string {
    const webhook = `${origin}/api/remote_phone_call_events`;
    return phoneCallId === undefined ? webhook : `${webhook}?phone_call_id=${phoneCallId}`;
  }

  /**
   * The document that can be sent with the call itself, so that nothing of ours need answer while it rings; undefined when it is too long,
   * or hangs on who answers.
   * @throws NothingToSay when nobody is to be called for it
   */
  opening(staged: Staged, call: ConversingCall, origin: string): string | undefined {
    const { twiml, write } = staged.callFlow.answer(stepOf(staged, call, origin, 1));
    const document = twiml.toString();
    return document.length > LONGEST_INLINE || hangsOnWho(call.remote_request_params) || write ? undefined : document;
  }

  /** What a webhook of a call, whose row is held, comes to. */
  hear(staged: Staged, call: ConversingCall, { details, query, origin }: Heard): Turn {
    const { callFlow } = staged;
    const { AnsweredBy: answeredBy } = details;
    const turn = this.learn(staged, call, typeof answeredBy === 'string' ? answeredBy : '');
    const { standing } = turn.state;
    const first = (): Reply => answerOrLetGo(callFlow, stepOf(staged, call, origin, 1, { event: details }));
    const answered = Conversations.stepOf(query);
    if (answered === undefined) {
      if (standing) return { ...turn, twiml: standing.twiml };
      return asksWhatToSay(details) ? movedOn(turn, first(), 1) : { ...turn, twiml: first().twiml.toString() };
    }
    const { step: awaited, twiml, memory } = standing ?? standingOf(first(), 1);
    if (answered !== awaited) return { ...turn, twiml };
    const step = stepOf(staged, call, origin, answered + 1, { event: details, query, memory });
    return movedOn(turn, answerOrLetGo(callFlow, step), answered + 1);
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
    const writes = state.standing ? callFlow.onMachine(scene, state.standing.memory) : {};
    return { callFlow, scene, state: { ...state, machine: true }, metadata, writes };
  }

  /** Writes what the flow has decided to the other records of the scene. */
  async keep(manager: EntityManager, { writes, scene }: Pick<Turn, 'writes' | 'scene'>): Promise<void> {
    await merge(manager, Contact, scene.contact.id, writes.contact);
    if (scene.participation) {
      await merge(manager, CalloutParticipation, scene.participation.id, writes.participation);
    }
    if (scene.callout) await merge(manager, Callout, scene.callout.id, writes.callout);
  }

  /** Each of the calls, in their order, with all that its flow is told, as the transaction sees it. */
  async stageAll(manager: EntityManager, calls: ConversingCall[]): Promise<Staged[]> {
    const told = calls.map(({ id, contact_id, callout_participation_id, call_flow_state }) => ({
      id,
      contact_id,
      participation_id: callout_participation_id ?? call_flow_state?.participation_id ?? null,
    }));
    const columns = { id: 'bigint', contact_id: 'bigint', participation_id: 'bigint' } as const;
    const rows = await rowsOf<StageRow>(
      manager,
      sql`SELECT told.id AS phone_call_id, contacts.msisdn, contacts.metadata AS contact_metadata,
          callout_participations.id AS participation_id, callout_participations.metadata AS participation_metadata,
          callout_participations.call_flow_logic AS participation_flow,
          callouts.id AS callout_id, callouts.status, callouts.metadata AS callout_metadata,
          callouts.call_flow_logic AS callout_flow, ${now} AS at
        FROM ${given('told', columns, told)}
        JOIN contacts ON contacts.id = told.contact_id
        LEFT JOIN callout_participations ON callout_participations.id = told.participation_id
        LEFT JOIN callouts ON callouts.id = callout_participations.callout_id`,
    );
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
        contact: { id: call.contact_id, msisdn: row.msisdn, metadata: json(row.contact_metadata) },
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
  msisdn: string;
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
    next: (times) => `${Conversations.webhookOf(origin, call.id)}&step=${awaits}&asked=${times}`,
  };
}

/** Whether the first document hangs on who answers: the provider is to find that out before it asks for it. */
function hangsOnWho({ machine_detection, async_amd }: Metadata): boolean {
  const detects = machine_detection !== undefined && String(machine_detection).toLowerCase() !== 'none';
  return detects && String(async_amd).toLowerCase() !== 'true';
}

/** Whether a machine has answered, in the provider's words. Source: https://www.twilio.com/docs/voice/answering-machine-detection */
function isMachine(answeredBy: unknown): boolean {
  return answeredBy === 'fax' || String(answeredBy).startsWith('machine_');
}

/** The provider asks what is to be said; otherwise it only tells how the call stands, and performs no answer. */
function asksWhatToSay({ CallStatus, SequenceNumber, CallbackSource }: Metadata): boolean {
  return SequenceNumber === undefined && CallbackSource === undefined && CONVERSING.includes(String(CallStatus));
}

/** A caller with whom there is nothing to talk about is let go. */
function answerOrLetGo(callFlow: CallFlow, step: Step): Reply {
  try {
    return callFlow.answer(step);
  } catch (error) {
    if (!(error instanceof NothingToSay)) throw error;
    return { twiml: letGo(['There is no message for you now. Goodbye.']) };
  }
}

function standingOf({ twiml, memory = {} }: Reply, step: number): Standing {
  return { step, twiml: twiml.toString(), memory };
}

function movedOn(turn: Omit<Turn, 'twiml'>, reply: Reply, step: number): Turn {
  const { phoneCall, ...writes } = { ...turn.writes, ...reply.write };
  const standing = standingOf(reply, step);
  const metadata = mergeMetadata(turn.metadata, phoneCall ?? {});
  return { ...turn, state: { ...turn.state, standing }, twiml: standing.twiml, metadata, writes };
}

async function merge<T extends { id: number; metadata: Metadata }>(
  manager: EntityManager,
  entity: EntityTarget<T>,
  id: number,
  given: Metadata | undefined,
): Promise<void> {
  if (!given) return;
  const { metadata } = await locked(manager, entity, id);
  const changes = { metadata: mergeMetadata(metadata, given), updated_at: () => now.text };
  await manager.update(entity, id, changes as object);
}

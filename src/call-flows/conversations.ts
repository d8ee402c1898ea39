import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import type { EntityManager, EntityTarget } from 'typeorm';
import { CalloutParticipation } from '../callout-participations/callout-participation.entity.js';
import { Callout } from '../callouts/callout.entity.js';
import { Contact } from '../contacts/contact.entity.js';
import { json, now, timestamp } from '../database/dialect.js';
import { Reader } from '../database/reader.js';
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

interface Staged {
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
  constructor(
    private readonly callFlows: CallFlows,
    private readonly reader: Reader,
  ) {}

  /** The step that a webhook is the answer of; undefined when it is none. */
  static stepOf(query: URLSearchParams): number | undefined {
    const step = query.get('phone_call_id') === null ? null : query.get('step');
    return step !== null && /^[1-9]\d{0,5}$/.test(step) ? Number(step) : undefined;
  }

  /** The webhook of a call; our own id in it finds the call before the provider's is known. */
  static webhookOf(origin: string, phoneCallId: number): string {
    return `${origin}/api/remote_phone_call_events?phone_call_id=${phoneCallId}`;
  }

  /**
   * The document that can be sent with the call itself, so that nothing of ours need answer while it rings; undefined when it is too long,
   * or hangs on who answers.
   * @throws NothingToSay when nobody is to be called for it
   */
  async opening(call: PhoneCall, origin: string): Promise<string | undefined> {
    const staged = await this.stage(this.reader, call);
    const { twiml, write } = staged.callFlow.answer(stepOf(staged, call, origin, 1));
    const document = twiml.toString();
    const detection = call.remote_request_params.machine_detection;
    const hangsOnWho = detection !== undefined && String(detection).toLowerCase() !== 'none';
    return document.length > LONGEST_INLINE || hangsOnWho || write ? undefined : document;
  }

  /** What a webhook of a call, whose row is held, comes to. */
  async hear(manager: EntityManager, call: PhoneCall, { details, query, origin }: Heard): Promise<Turn> {
    const staged = await this.stage({ rows: (statement) => rowsOf(manager, statement) }, call);
    const { callFlow, scene } = staged;
    const state = call.call_flow_state ?? {};
    const { AnsweredBy: answeredBy } = details;
    const news = typeof answeredBy === 'string' && answeredBy !== '' ? { answered_by: answeredBy } : {};
    scene.phoneCall.metadata = mergeMetadata(call.metadata, news);
    const turn = { callFlow, scene, state, metadata: scene.phoneCall.metadata, writes: {} };
    const first = (): Reply => answerOrLetGo(callFlow, stepOf(staged, call, origin, 1, { event: details }));
    const given = Conversations.stepOf(query);
    if (given === undefined) {
      if (state.standing)
        return { ...turn, twiml: state.standing.twiml, writes: takenBack(staged, call, state.standing) };
      const reply = first();
      if (!asksWhatToSay(details)) return { ...turn, twiml: reply.twiml.toString() };
      return movedOn(turn, reply, 1);
    }
    const standing = state.standing ?? standingAfter(first(), 1);
    if (given !== standing.step) return { ...turn, twiml: standing.twiml };
    const step = stepOf(staged, call, origin, given + 1, { event: details, query, memory: standing.memory });
    return movedOn(turn, answerOrLetGo(callFlow, step), given + 1);
  }

  /** Writes what the flow has decided to the other records of the scene. */
  async keep(manager: EntityManager, { writes, scene }: Turn): Promise<void> {
    await merge(manager, Contact, scene.contact.id, writes.contact);
    if (scene.participation) {
      await merge(manager, CalloutParticipation, scene.participation.id, writes.participation);
    }
    if (scene.callout) await merge(manager, Callout, scene.callout.id, writes.callout);
  }

  private async stage(reader: Pick<Reader, 'rows'>, call: PhoneCall): Promise<Staged> {
    const participationId = call.callout_participation_id ?? call.call_flow_state?.participation_id ?? null;
    const [row] = await reader.rows<Record<string, unknown>>(
      sql`SELECT contacts.msisdn, contacts.metadata AS contact_metadata,
          callout_participations.id AS participation_id, callout_participations.metadata AS participation_metadata,
          callout_participations.call_flow_logic AS participation_flow,
          callouts.id AS callout_id, callouts.status, callouts.metadata AS callout_metadata,
          callouts.call_flow_logic AS callout_flow, ${now} AS at
        FROM contacts
        LEFT JOIN callout_participations ON callout_participations.id = ${participationId}
        LEFT JOIN callouts ON callouts.id = callout_participations.callout_id
        WHERE contacts.id = ${call.contact_id}`,
    );
    if (!row) throw new Error(`The contact of phone call ${call.id} is not there`);
    const flows = [call.call_flow_logic, row.participation_flow, row.callout_flow] as (string | null)[];
    return {
      callFlow: this.callFlows.chosen(...flows),
      at: timestamp(row.at),
      scene: {
        phoneCall: { id: call.id, msisdn: call.msisdn, metadata: call.metadata },
        contact: { id: call.contact_id, msisdn: row.msisdn as string, metadata: json(row.contact_metadata) },
        participation:
          row.participation_id === null
            ? null
            : { id: row.participation_id as number, metadata: json(row.participation_metadata) },
        callout:
          row.callout_id === null
            ? null
            : { id: row.callout_id as number, status: row.status as string, metadata: json(row.callout_metadata) },
      },
    };
  }
}

/** @param awaits the step that the answer to this one will be */
function stepOf(
  { scene, at }: Staged,
  call: PhoneCall,
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

/** What a flow takes back when it is only now told that it spoke with a machine. */
function takenBack({ callFlow, scene }: Staged, call: PhoneCall, { memory }: Standing): Writes {
  const turnedOut = isMachine(scene.phoneCall.metadata.answered_by) && !isMachine(call.metadata.answered_by);
  return turnedOut ? callFlow.onMachine(scene, memory) : {};
}

function standingAfter({ twiml, memory = {} }: Reply, step: number): Standing {
  return { step, twiml: twiml.toString(), memory };
}

function movedOn(turn: Omit<Turn, 'twiml'>, reply: Reply, step: number): Turn {
  const { phoneCall, ...writes } = reply.write ?? {};
  const standing = standingAfter(reply, step);
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

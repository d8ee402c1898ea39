import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import type { Callout } from '../callouts/callout.entity.js';
import { Config } from '../config/config.js';
import {
  inList,
  isPostgres,
  lockClause,
  notIndexed,
  now,
  nowMilliseconds,
  parseJson,
  recordset,
  secondsFromNow,
} from '../database/dialect.js';
import { isHeld } from '../database/lease.js';
import type { Transaction } from '../database/transaction.js';
import { nextCallAt } from '../dial-plans/call-budget.js';
import { nextOpening, zoneOf } from '../dial-plans/call-windows.js';
import { type DialPlan, RESERVED_AHEAD_SECONDS, readDialPlan } from '../dial-plans/dial-plan.js';
import type { Metadata } from '../metadata/metadata.js';
import type { WaitingReason } from '../outcomes/outcome-names.js';
import { lockParticipations } from '../outcomes/refresh-outcomes.js';
import { RESERVATION_SECONDS } from './dial-leases.js';

/** How long the people of a plan wait whose windows never open again: the plan was valid when it was stored (ms). */
const NEVER_OPENS = 24 * 3_600_000;

/** A person who is to be called now: the participation, and the number. */
export interface DuePerson {
  participationId: number;
  contactId: number;
  calloutId: number;
  msisdn: string;
}

/** The columns of a call that has a {@link DuePerson}, with its id. */
export const dueCallColumns = sql`phone_calls.id, phone_calls.callout_id AS "calloutId",
  phone_calls.contact_id AS "contactId", phone_calls.msisdn,
  phone_calls.callout_participation_id AS "participationId"`;

/** Why a person is not called now, and when that may change. */
export interface Wait {
  person: DuePerson;
  reason: WaitingReason;
  until: Date;
}

type GatedCallout = Pick<Callout, 'id' | 'priority'> & { plan?: DialPlan };

/**
 * Holds people back who must not be called now: the call windows of their callout's plan are closed where they are, or
 * their number was called as often as `MAX_CALLS_PER_NUMBER` permits. The callout runner asks before it makes attempts,
 * and the dial queue asks again before it reserves calls. Only one process reserves calls at a time, so the budget of a
 * number is never exceeded. A claim asks for the windows once more ({@link findClosed}).
 */
@Injectable()
export class DialGate {
  constructor(private readonly config: Config) {}

  /**
   * Finds the people who must wait, and stores why and until when in their participations. The caller has locked the
   * contacts ({@link lockContactsOf}) and the participations.
   * @returns the ids of their participations
   */
  async holdBack(transaction: Transaction, people: readonly DuePerson[]): Promise<Set<number>> {
    const { held, waits } = await this.decide(transaction, people);
    await this.store(transaction, waits);
    return new Set([...held].map(({ participationId }) => participationId));
  }

  /**
   * Finds the people who must wait. The caller stores why.
   * @param chosen the people who are called before them, and whose calls are not reserved yet
   * @returns those who must wait, and why. Somebody of whom another call is made now waits without a reason
   */
  async decide<Person extends DuePerson>(
    transaction: Transaction,
    people: readonly Person[],
    chosen: readonly DuePerson[] = [],
  ): Promise<{ held: Set<Person>; waits: Wait[] }> {
    const held = new Set<Person>();
    const waits: Wait[] = [];
    const callouts = await this.readCallouts(transaction, new Set(people.map(({ calloutId }) => calloutId)));
    const budgeted = this.config.maxCallsPerNumber.length > 0;
    if (!hasWindows(callouts) && !budgeted) return { held, waits };
    const clock = await readClock(transaction);
    const closed = await readClosed(transaction, people, callouts, clock, RESERVED_AHEAD_SECONDS);
    const { dials, reserved } = budgeted ? await this.readDials(transaction, people, clock) : noDials();
    // A wait would keep the reserved call of the same person back, too.
    const called = new Set(reserved);
    const call = ({ participationId, msisdn }: DuePerson) => {
      called.add(participationId);
      dials.set(msisdn, [...(dials.get(msisdn) ?? []), clock]);
    };
    for (const person of chosen) call(person);
    const hold = (person: Person, reason: WaitingReason, until: Date) => {
      held.add(person);
      if (reason === 'window' || !called.has(person.participationId)) waits.push({ person, reason, until });
    };
    for (const person of people) {
      const { priority } = callouts.get(person.calloutId)!;
      const opening = closed.get(person.participationId);
      const isLimited = budgeted && priority !== 'emergency';
      const next = isLimited ? nextCallAt(this.config.maxCallsPerNumber, dials.get(person.msisdn) ?? [], clock) : clock;
      if (opening) hold(person, 'window', opening);
      else if (next > clock) hold(person, 'budget', next);
      else call(person);
    }
    return { held, waits };
  }

  /**
   * Finds the people for whom the call windows are closed where they are.
   * @param aheadSeconds how long it takes until they are called (s)
   * @returns when the windows open, by participation
   */
  async findClosed(
    transaction: Transaction,
    people: readonly DuePerson[],
    aheadSeconds: number,
  ): Promise<Map<number, Date>> {
    const callouts = await this.readCallouts(transaction, new Set(people.map(({ calloutId }) => calloutId)));
    if (!hasWindows(callouts)) return new Map();
    return readClosed(transaction, people, callouts, await readClock(transaction), aheadSeconds);
  }

  /**
   * Stores in their participations why people wait, and until when. The caller has locked their contacts
   * ({@link lockContactsOf}). Nobody waits for a window whose plan or time zone has changed since it was decided: that
   * change has released those who were waiting.
   */
  async store(transaction: Transaction, waits: readonly Wait[]): Promise<void> {
    if (waits.length === 0) return;
    await lockParticipations(
      transaction,
      waits.map(({ person }) => person.participationId),
    );
    const forWindow = waits.filter(({ reason }) => reason === 'window').map(({ person }) => person);
    const closed =
      forWindow.length > 0 ? await this.findClosed(transaction, forWindow, RESERVED_AHEAD_SECONDS) : noDates;
    const rows = waits.flatMap(({ person: { participationId: id }, reason, until: decided }) => {
      const until = reason === 'window' ? closed.get(id) : decided;
      return until ? [{ id, waiting_for: reason, until: until.toISOString() }] : [];
    });
    await transaction.query(sql`UPDATE callout_participations
        SET waiting_for = input.waiting_for, next_call_at = input.until, updated_at = ${now}
        FROM ${recordset('input', { id: 'bigint', waiting_for: 'text', until: 'timestamptz' }, rows)}
        WHERE callout_participations.id = input.id`);
  }

  private async readCallouts(transaction: Transaction, ids: ReadonlySet<number>): Promise<Map<number, GatedCallout>> {
    const rows = await transaction.query<Pick<Callout, 'id' | 'priority'> & { dial_plan: unknown }>(
      sql`SELECT id, priority, dial_plan FROM callouts WHERE ${inList(sql`id`, [...ids])}`,
    );
    return new Map(
      rows.map(({ id, priority, dial_plan }) => {
        const stored = parseJson<Metadata | null>(dial_plan);
        return [id, { id, priority, ...(stored && { plan: readDialPlan(stored, this.config) }) }];
      }),
    );
  }

  /**
   * Reads when the numbers were dialed, and which participations have a reserved call. A call that is reserved or
   * claimed counts as dialed now, and one that the provider refused does not count.
   */
  private async readDials(transaction: Transaction, people: readonly DuePerson[], clock: Date): Promise<Dials> {
    const longest = Math.max(...this.config.maxCallsPerNumber.map(({ seconds }) => seconds));
    const numbers = [...new Set(people.map(({ msisdn }) => msisdn))];
    const status = notIndexed('phone_calls.status');
    const rows = await transaction.query<{
      msisdn: string;
      dialled_at: string | Date | null;
      participation: number;
    }>(sql`SELECT msisdn, dialled_at, callout_participation_id AS participation FROM phone_calls
        WHERE ${inList(sql`msisdn`, numbers)} AND (
          dialled_at > ${secondsFromNow(-longest)} AND NOT (${status} = 'errored' AND refusal_code IS NOT NULL)
          OR ${status} = 'queued' AND dialled_at IS NULL
            AND ${isHeld(sql`leased_until`, RESERVATION_SECONDS)}
        )`);
    const found = noDials();
    for (const { msisdn, dialled_at, participation } of rows) {
      const at = dialled_at === null ? clock : new Date(dialled_at);
      found.dials.set(msisdn, [...(found.dials.get(msisdn) ?? []), at]);
      if (dialled_at === null) found.reserved.add(participation);
    }
    return found;
  }
}

const noDates: ReadonlyMap<number, Date> = new Map();

/** When numbers were dialed, and the participations that have a reserved call. */
interface Dials {
  dials: Map<string, Date[]>;
  reserved: Set<number>;
}

const noDials = (): Dials => ({ dials: new Map(), reserved: new Set() });

/**
 * Locks the contacts of people until the transaction ends, so that their time zones do not change. Transactions lock
 * contacts before participations. Not needed on SQLite, where the transaction is the only writer.
 */
export async function lockContactsOf(transaction: Transaction, people: readonly DuePerson[]): Promise<void> {
  if (!isPostgres || people.length === 0) return;
  const ids = people.map(({ contactId }) => contactId);
  await transaction.query(sql`SELECT 1 FROM contacts WHERE ${inList(sql`id`, ids)} ORDER BY id
      ${lockClause('FOR SHARE')}`);
}

const hasWindows = (callouts: ReadonlyMap<number, GatedCallout>): boolean =>
  [...callouts.values()].some(({ plan }) => plan && plan.callWindows !== 'always');

/** @returns when the call windows of people open, by participation, for those for whom they are closed */
async function readClosed(
  transaction: Transaction,
  people: readonly DuePerson[],
  callouts: ReadonlyMap<number, GatedCallout>,
  clock: Date,
  aheadSeconds: number,
): Promise<Map<number, Date>> {
  const closed = new Map<number, Date>();
  if (!hasWindows(callouts)) return closed;
  const zones = await readZones(transaction, people, callouts);
  for (const { participationId, calloutId } of people) {
    const { plan } = callouts.get(calloutId)!;
    const opening = plan ? openingFor(plan, zones.get(participationId), clock, aheadSeconds) : clock;
    if (opening > clock) closed.set(participationId, opening);
  }
  return closed;
}

/**
 * @param aheadSeconds how long it takes until the person is called (s)
 * @returns when a person may be called: `clock` if that is now. A phone that rings must not outlast the window
 */
function openingFor(plan: DialPlan, zone: unknown, clock: Date, aheadSeconds: number): Date {
  const ringSeconds = plan.ringSeconds + aheadSeconds;
  return (
    nextOpening(plan.callWindows, zoneOf(zone, plan.timeZone), clock, ringSeconds) ??
    new Date(clock.getTime() + NEVER_OPENS)
  );
}

async function readClock(transaction: Transaction): Promise<Date> {
  const [row] = await transaction.query<{ now: number }>(sql`SELECT ${nowMilliseconds} AS now`);
  return new Date(row!.now);
}

/** Reads what the contacts' metadata have as their time zones, by participation. */
async function readZones(
  transaction: Transaction,
  people: readonly DuePerson[],
  callouts: ReadonlyMap<number, GatedCallout>,
): Promise<Map<number, unknown>> {
  const zones = new Map<number, unknown>();
  const keys = new Set([...callouts.values()].flatMap(({ plan }) => plan?.timeZoneKey ?? []));
  for (const key of keys) {
    const some = people.filter(({ calloutId }) => callouts.get(calloutId)?.plan?.timeZoneKey === key);
    const contacts = some.map(({ contactId }) => contactId);
    const rows = await transaction.query<{ id: number; zone: unknown }>(
      sql`SELECT id, ${valueAt(key)} AS zone FROM contacts WHERE ${inList(sql`id`, contacts)}`,
    );
    const byContact = new Map(rows.map(({ id, zone }) => [id, zone]));
    for (const { participationId, contactId } of some) zones.set(participationId, byContact.get(contactId));
  }
  return zones;
}

/** The text at a key of the contacts' metadata. */
function valueAt(key: string): Sql {
  return isPostgres
    ? sql`contacts.metadata ->> ${key}::text`
    : sql`(SELECT entry.value FROM json_each(contacts.metadata) AS entry WHERE entry.key = ${key})`;
}

import { Injectable } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import { inList, isPostgres, jsonCast, lockClause, now } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { DialGate, type DuePerson } from '../dialing/dial-gate.js';
import type { Metadata } from '../metadata/metadata.js';
import { lockParticipations, markCalling } from '../outcomes/refresh-outcomes.js';
import { insertion } from '../phone-calls/phone-call-transitions.js';

/** The condition of the participations that the index `callout_participations_due` contains. */
const isOpen = sql`outcome IN ('waiting', 'retrying')`;

/**
 * Makes the attempts of dial plans: a queued phone call for each person who is due. The caller makes sure that only one
 * process works on a callout at a time.
 */
@Injectable()
export class Attempts {
  constructor(private readonly gate: DialGate) {}

  /**
   * Makes attempts for people who are due, up to `most`. People whom the gate holds back get none, and are due again
   * when they may be called.
   * @param params the parameters of the request for each call
   * @returns how many people were due, with those who were held back
   */
  async make(transaction: Transaction, calloutId: number, params: Metadata, most: number): Promise<number> {
    const found = await findDue(transaction, calloutId, most);
    const due = await lockDue(transaction, found);
    const held = await this.gate.holdBack(transaction, due);
    const ids = due.flatMap(({ participationId }) => (held.has(participationId) ? [] : [participationId]));
    if (ids.length > 0) {
      await insertAttempts(transaction, ids, params);
      await markCalling(transaction, ids);
    }
    return found.length;
  }
}

/** Finds due people. Those who are called again come first: their time was planned. */
async function findDue(transaction: Transaction, calloutId: number, most: number): Promise<DuePerson[]> {
  const planned = await selectDue(transaction, calloutId, sql`next_call_at <= ${now}`, most);
  const left = most - planned.length;
  if (left <= 0) return planned;
  return [...planned, ...(await selectDue(transaction, calloutId, sql`next_call_at IS NULL`, left))];
}

/** Reads a range of the index on callout, time and id. BETWEEN keeps PostgreSQL from choosing another index. */
function selectDue(transaction: Transaction, calloutId: number, condition: Sql, most: number): Promise<DuePerson[]> {
  return transaction.query<DuePerson>(sql`SELECT ${personColumns} FROM callout_participations
      WHERE callout_id BETWEEN ${calloutId} AND ${calloutId} AND ${isOpen} AND ${condition}
      ORDER BY callout_id, next_call_at, id LIMIT ${most}`);
}

const personColumns = sql`id AS "participationId", contact_id AS "contactId", callout_id AS "calloutId", msisdn`;

/**
 * Locks people, in the order in which transactions lock contacts and participations.
 * @returns those who are still due
 */
async function lockDue(transaction: Transaction, people: readonly DuePerson[]): Promise<DuePerson[]> {
  if (!isPostgres || people.length === 0) return [...people];
  const contacts = people.map(({ contactId }) => contactId);
  await transaction.query(sql`SELECT 1 FROM contacts WHERE ${inList(sql`id`, contacts)} ORDER BY id
      ${lockClause('FOR KEY SHARE')}`);
  const ids = people.map(({ participationId }) => participationId);
  await lockParticipations(transaction, ids);
  return transaction.query<DuePerson>(sql`SELECT ${personColumns} FROM callout_participations
      WHERE ${inList(sql`id`, ids)} AND ${isOpen} AND (next_call_at IS NULL OR next_call_at <= ${now}) ORDER BY id`);
}

async function insertAttempts(transaction: Transaction, ids: number[], params: Metadata): Promise<void> {
  const { columns, values } = insertion('attempt', {});
  await transaction.execute(sql`INSERT INTO phone_calls
        (callout_participation_id, callout_id, contact_id, msisdn, ${columns}, remote_request_params, attempt)
      SELECT id, callout_id, contact_id, msisdn, ${values}, ${JSON.stringify(params)}${jsonCast},
        1 + coalesce((SELECT max(attempt) FROM phone_calls
          WHERE phone_calls.callout_participation_id = callout_participations.id), 0)
      FROM callout_participations WHERE ${inList(sql`id`, ids)} ORDER BY id`);
}

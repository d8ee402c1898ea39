import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { inList, jsonCast } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import { DialGate, type DuePerson, lockContactsOf } from '../dialing/dial-gate.js';
import type { Metadata } from '../metadata/metadata.js';
import { markCalling } from '../outcomes/refresh-outcomes.js';
import { insertion } from '../phone-calls/phone-call-transitions.js';
import { isNext, isPlannedByNow, lockDue, selectDue } from './due-people.js';

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
    await lockContactsOf(transaction, found);
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
  const planned = await selectDue(transaction, calloutId, isPlannedByNow, most);
  const left = most - planned.length;
  if (left <= 0) return planned;
  return [...planned, ...(await selectDue(transaction, calloutId, isNext, left))];
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

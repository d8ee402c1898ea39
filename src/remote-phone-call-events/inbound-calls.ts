import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import type { CallFlowState } from '../call-flows/call-flow-state.js';
import { Config } from '../config.js';
import { secondsFromNow } from '../database/dialect.js';
import { lockedBy } from '../database/rows.js';
import { rowsOf } from '../database/statements.js';
import { UnusableWebhook } from '../http/errors.js';
import type { Metadata } from '../metadata/metadata.js';
import { PhoneCall } from '../phone-calls/phone-call.entity.js';
import { toMsisdn } from '../phone-numbers/msisdn.js';

/** For so long after its end a callout is still what a person calls back about, in seconds. */
const STILL_OF_INTEREST = 86_400;

/** A person's newest calls among which it is looked for the one that they call back about. */
const LOOKED_THROUGH = 50;

/** A call of ours to a person, about which they may call back. */
interface EarlierCall {
  sender: string | number;
  url: string | null;
  twiml: string | null;
  contact_id: number;
  call_flow_logic: string | null;
  participation_id: number;
  callout_id: number;
}

/** Takes on the calls of people who call us: about the callout that called them, or of their own accord. */
@Injectable()
export class InboundCalls {
  constructor(private readonly config: Config) {}

  /**
   * The row of an inbound call, made if it is new, and held.
   * @throws UnusableWebhook when it does not say who calls
   */
  async take(manager: EntityManager, sid: string, { From, To }: Metadata): Promise<PhoneCall> {
    const msisdn = toMsisdn(From);
    if (!msisdn) throw new UnusableWebhook('From is an invalid number');
    const earlier = await this.calledBackAbout(manager, msisdn, To);
    await (earlier ? this.callBack(manager, sid, msisdn, earlier) : this.callIn(manager, sid, msisdn));
    return (await lockedBy(manager, PhoneCall, { remote_call_id: sid }))!;
  }

  /** Of their own accord: the contact with that number, who is made if new, and the flow for those who call in. */
  private async callIn(manager: EntityManager, sid: string, msisdn: string): Promise<void> {
    await rowsOf(manager, sql`INSERT INTO contacts (msisdn) VALUES (${msisdn}) ON CONFLICT (msisdn) DO NOTHING`);
    await rowsOf(
      manager,
      sql`INSERT INTO phone_calls (contact_id, msisdn, status, remote_call_id, remote_direction, call_flow_logic)
        SELECT id, msisdn, 'created', ${sid}, 'inbound', ${this.config.inboundCallFlow ?? null}
        FROM contacts WHERE msisdn = ${msisdn}
        ON CONFLICT (remote_call_id) DO NOTHING`,
    );
  }

  /** Whoever calls back hears what the callout said to them: by its flow, or in the document that was sent with the call. */
  private async callBack(manager: EntityManager, sid: string, msisdn: string, earlier: EarlierCall): Promise<void> {
    const { participation_id, callout_id, twiml } = earlier;
    // A document that is there already is repeated whatever is asked for.
    const state: CallFlowState = {
      participation_id,
      ...(twiml !== null && { standing: { step: 0, twiml, memory: {} } }),
    };
    const metadata = { calling_back: { callout_id, callout_participation_id: participation_id } };
    await rowsOf(
      manager,
      sql`INSERT INTO phone_calls (contact_id, msisdn, status, remote_call_id, remote_direction, call_flow_logic,
          call_flow_state, metadata)
        VALUES (${earlier.contact_id}, ${msisdn}, 'created', ${sid}, 'inbound', ${earlier.call_flow_logic},
          ${JSON.stringify(state)}, ${JSON.stringify(metadata)})
        ON CONFLICT (remote_call_id) DO NOTHING`,
    );
  }

  /** The newest call to that number from the number that is called now, whose callout is not over for longer than a day. */
  private async calledBackAbout(
    manager: EntityManager,
    msisdn: string,
    called: unknown,
  ): Promise<EarlierCall | undefined> {
    const calls = await rowsOf<EarlierCall>(
      manager,
      sql`SELECT phone_calls.remote_request_params ->> 'from' AS sender,
          phone_calls.remote_request_params ->> 'url' AS url, phone_calls.remote_request_params ->> 'twiml' AS twiml,
          callout_participations.contact_id,
          coalesce(phone_calls.call_flow_logic, callout_participations.call_flow_logic, callouts.call_flow_logic)
            AS call_flow_logic,
          callout_participations.id AS participation_id, callouts.id AS callout_id
        FROM phone_calls
        JOIN callout_participations ON callout_participations.id = phone_calls.callout_participation_id
        JOIN callouts ON callouts.id = phone_calls.callout_id
        WHERE phone_calls.msisdn = ${msisdn} AND phone_calls.status <> 'created'
          AND phone_calls.remote_request_params ->> 'application_sid' IS NULL
          AND (callouts.status <> 'stopped' OR callouts.stopped_at > ${secondsFromNow(-STILL_OF_INTEREST)})
        ORDER BY phone_calls.id DESC LIMIT ${LOOKED_THROUGH}`,
    );
    return calls.find(({ sender, url }) => plain(sender) === plain(called) && (!url || isOurs(url)));
  }
}

/** A number as it can be compared: as E.164, or the digits of a short code. */
function plain(number: unknown): string {
  return toMsisdn(number) ?? String(number).replaceAll(/[^\d*#A-Za-z]/g, '');
}

/** What was said from somebody else's address is not ours to repeat. */
function isOurs(url: string): boolean {
  return url.includes('/api/remote_phone_call_events');
}

import type { Api, Body } from './api.js';
import { eventually } from './eventually.js';
import type { Installation } from './installation.js';
import { PROVIDER_SID, providerAuthorization } from './provider-environment.js';

/** A participation with what it stores about its calls, read from the database. */
export interface StoredParticipation {
  id: number;
  contact_id: number;
  msisdn: string;
  outcome: string;
  attempts: number;
  waiting_for: string | null;
  next_call_at: Date | null;
}

/** A phone call, read from the database. */
export interface StoredCall {
  id: number;
  callout_participation_id: number;
  attempt: number | null;
  msisdn: string;
  status: string;
  dialled_at: Date | null;
  ended_at: Date | null;
}

/** Prefixes of Cambodian mobile numbers that have seven more digits. */
const prefixes = ['+85596', '+85597', '+85588', '+85531'];

/** @returns a valid phone number, another one for each `n` */
export function personNumber(n: number, ending: string): string {
  return `${prefixes[Math.floor(n / 900)]}${100 + (n % 900)}${ending}`;
}

/** Creates and starts a callout that says a message to the people whose metadata have this group. @returns its id */
export async function startCallout(api: Api, group: string, plan: object, attributes: object = {}): Promise<number> {
  const { status, body, text } = await api.post('/api/callouts', {
    call_flow_logic: 'CallFlowLogic::PlayMessage',
    metadata: { message: 'The river is rising.' },
    audience: { contact_filter_params: { metadata: { group } } },
    dial_plan: { remote_request_params: { from: '2442' }, ...plan },
    ...attributes,
  });
  if (status !== 201) throw new Error(text);
  const started = await api.post(`/api/callouts/${body.id}/callout_events`, { event: 'start' });
  if (started.status !== 201) throw new Error(started.text);
  return body.id;
}

/** Waits until a callout has a status. @returns the callout as JSON */
export function waitForStatus(api: Api, callout: number, status: string, timeoutMs = 60_000): Promise<Body> {
  return eventually(
    async () => {
      const { body } = await api.get(`/api/callouts/${callout}`);
      return body.status === status && body;
    },
    timeoutMs,
    100,
  );
}

const toDate = (time: string | Date | null): Date | null => (time === null ? null : new Date(time));

/** @returns the participations of a callout, in the order of their ids */
export async function storedParticipations(
  installation: Installation,
  callout: number,
): Promise<StoredParticipation[]> {
  const rows = await installation.query<Record<keyof StoredParticipation, never>>(
    `SELECT id, contact_id, msisdn, outcome, attempts, waiting_for, next_call_at FROM callout_participations
      WHERE callout_id = ${callout} ORDER BY id`,
  );
  return rows.map((row) => ({
    ...row,
    id: Number(row.id),
    contact_id: Number(row.contact_id),
    attempts: Number(row.attempts),
    next_call_at: toDate(row.next_call_at),
  }));
}

/** @returns the phone calls of a callout, in the order of their ids */
export async function storedCalls(installation: Installation, callout: number): Promise<StoredCall[]> {
  const rows = await installation.query<Record<keyof StoredCall, never>>(
    `SELECT id, callout_participation_id, attempt, msisdn, status, dialled_at, ended_at FROM phone_calls
      WHERE callout_id = ${callout} ORDER BY id`,
  );
  return rows.map((row) => ({
    ...row,
    id: Number(row.id),
    callout_participation_id: Number(row.callout_participation_id),
    attempt: row.attempt === null ? null : Number(row.attempt),
    dialled_at: toDate(row.dialled_at),
    ended_at: toDate(row.ended_at),
  }));
}

/** @returns the calls that the simulator has placed, oldest first, by the called number */
export async function callsAtProvider(api: Api): Promise<Map<string, Body[]>> {
  const calls: Body[] = [];
  const first = `/2010-04-01/Accounts/${PROVIDER_SID}/Calls.json?PageSize=1000`;
  for (let uri: string | null = first; uri !== null;) {
    const { status, body, text } = await api.get(`/simulator${uri}`, providerAuthorization);
    if (status !== 200) throw new Error(text);
    calls.push(...body.calls);
    uri = body.next_page_uri;
  }
  const byNumber = new Map<string, Body[]>();
  for (const call of calls.toReversed()) byNumber.set(call.to, [...(byNumber.get(call.to) ?? []), call]);
  return byNumber;
}

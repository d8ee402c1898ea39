import type { CalloutStatus } from '../../src/callouts/callout.machine.js';
import { type DialPlan, readDialPlan } from '../../src/dial-plans/dial-plan.js';
import { nextAttemptAt } from '../../src/dial-plans/retry-schedule.js';
import type { Metadata } from '../../src/metadata/metadata.js';
import { endingOf } from '../../src/outcomes/callout-ending.js';
import { type CallFacts, isMachine, resultOf } from '../../src/outcomes/call-result.js';
import { outcomeOf } from '../../src/outcomes/outcome.js';
import { OPTED_OUT_MESSAGE } from '../../src/outcomes/opted-out-message.js';
import type { PhoneCallStatus } from '../../src/phone-calls/phone-call.machine.js';
import type { Installation } from './installation.js';

type Time = Date | string | null;

/** A participation with one of its calls. Without a call, `call_id` is null. */
interface Row {
  id: string | number;
  outcome: string;
  attempts: string | number;
  first_call_at: Time;
  last_call_at: Time;
  metadata: string;
  callout_status: CalloutStatus;
  expires_at: Time;
  completed_at: Time;
  dial_plan: string | null;
  call_id: string | number | null;
  status: PhoneCallStatus;
  attempt: string | number | null;
  created_at: Time;
  dialled_at: Time;
  ended_at: Time;
  remote_call_id: string | null;
  call_flow_state: string | null;
  call_metadata: string;
  remote_error_message: string | null;
  is_recalled: boolean | number;
}

/** One statement, so that the rows are of one moment. Participations whose callout has just been stopped are due. */
const PARTICIPATIONS = `SELECT participations.id, outcome, attempts, first_call_at, last_call_at,
    CAST(participations.metadata AS text) AS metadata, callouts.status AS callout_status,
    callouts.expires_at, callouts.completed_at, CAST(callouts.dial_plan AS text) AS dial_plan, calls.id AS call_id,
    calls.status, calls.attempt, calls.created_at, calls.dialled_at, calls.ended_at, calls.remote_call_id, calls.remote_error_message,
    EXISTS (SELECT 1 FROM recalled_calls WHERE phone_call_id = calls.id) AS is_recalled,
    CAST(calls.call_flow_state AS text) AS call_flow_state, CAST(calls.metadata AS text) AS call_metadata
  FROM callout_participations AS participations JOIN callouts ON callouts.id = participations.callout_id
  LEFT JOIN phone_calls AS calls ON calls.callout_participation_id = participations.id
  WHERE callouts.outcomes_cursor IS NULL ORDER BY participations.id, calls.id`;

const toDate = (time: Time): Date | null => (time === null ? null : new Date(time));

/** @returns the participations, each with a row for each of its calls */
async function readParticipations(installation: Installation): Promise<Row[][]> {
  const participations = new Map<string, Row[]>();
  for (const row of await installation.query<Row>(PARTICIPATIONS)) {
    const key = String(row.id);
    participations.set(key, [...(participations.get(key) ?? []), row]);
  }
  return [...participations.values()];
}

const planIn = ({ dial_plan }: Row): DialPlan | undefined =>
  dial_plan === null ? undefined : readDialPlan(JSON.parse(dial_plan) as Metadata, { timeZone: 'UTC' });

/**
 * @returns the attempts that were made before their time, while an earlier call was open, or though the plan has no
 *   further attempt. The clock of the database must not have moved
 */
export async function findEarlyAttempts(installation: Installation): Promise<unknown[]> {
  return (await readParticipations(installation)).flatMap((rows) => {
    const plan = planIn(rows[0]!);
    if (!plan) return [];
    const participationId = Number(rows[0]!.id);
    return rows.flatMap((row, index) => {
      const earlier = rows.slice(0, index).filter(({ dialled_at }) => dialled_at !== null);
      if (row.attempt === null || earlier.length === 0) return [];
      const results = earlier.flatMap((one) => resultOf(toFacts(one)) ?? []);
      const endedAt = toDate(earlier.at(-1)!.ended_at);
      const planned = endedAt && nextAttemptAt(plan, { participationId, results, endedAt });
      const isEarly = results.length < earlier.length || !planned || toDate(row.created_at)! < planned;
      return isEarly ? [{ id: row.call_id, attempt: row.attempt, created: row.created_at, results, planned }] : [];
    });
  });
}

/** @returns the participations whose stored outcome differs from the one that their calls give */
export async function findWrongOutcomes(installation: Installation): Promise<unknown[]> {
  return (await readParticipations(installation)).flatMap((rows) => {
    const [{ id, outcome, attempts, first_call_at, last_call_at, metadata, callout_status, ...row }] = rows as [Row];
    const expiry = toDate(row.expires_at);
    const plan = planIn(rows[0]!);
    const { confirmed_at } = JSON.parse(metadata) as { confirmed_at?: unknown };
    const computed = outcomeOf({
      confirmed: confirmed_at !== undefined && confirmed_at !== null && confirmed_at !== '',
      calls: rows.filter(({ call_id }) => call_id !== null).map(toFacts),
      ending: endingOf({
        callout_status,
        is_expired: expiry && expiry <= (toDate(row.completed_at) ?? new Date()),
      }),
      ...(plan && {
        plan: {
          pursuesConfirmation: plan.until === 'confirmed',
          nextAttemptAt: (results, endedAt) => nextAttemptAt(plan, { participationId: Number(id), results, endedAt }),
        },
      }),
    });
    const { nextCallAt: _, ...expected } = computed;
    const times = { firstCallAt: toDate(first_call_at), lastCallAt: toDate(last_call_at) };
    const stored = { outcome, attempts: Number(attempts), ...times };
    const calls = rows.map((row) => row.status);
    return JSON.stringify(stored) === JSON.stringify(expected) ? [] : [{ id, stored, expected, callout_status, calls }];
  });
}

function toFacts(row: Row): CallFacts {
  const { machine } = JSON.parse(row.call_flow_state ?? '{}') as { machine?: boolean };
  const { answered_by } = JSON.parse(row.call_metadata) as { answered_by?: unknown };
  return {
    status: row.status,
    dialedAt: toDate(row.dialled_at),
    endedAt: toDate(row.ended_at),
    isAtProvider: row.remote_call_id !== null,
    isMachine: machine === true || isMachine(answered_by),
    isOptedOut: row.remote_error_message === OPTED_OUT_MESSAGE,
    isRecalled: Boolean(row.is_recalled),
  };
}

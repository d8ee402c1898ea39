import { runInChild } from '../child-process.mjs';
import { statementsOf } from '../statements.mjs';

const BURST = 2_000;
const PER_SECOND = 500;
const SECONDS = 20;

/** The program's status for each final status of the provider. */
const ENDS = { completed: 'completed', busy: 'busy', 'no-answer': 'not_answered', failed: 'failed' };

/** The statuses of a call before its final one. */
const COURSE = ['initiated', 'ringing', 'in-progress'];

/** Measures webhooks at a steady rate and in a burst. Counts those that are lost, repeated, or set a wrong status. */
export async function measure({ way, seed, flags, report }) {
  const courses = (PER_SECOND * SECONDS) / (COURSE.length + 1);
  const template = await seed.calls(Math.min(flags.contacts, BURST + courses));
  const database = await template.copy();
  await database.inTransaction(statementsOf(database).takeCalls());
  const calls = await database.rows('SELECT id, remote_call_id, msisdn FROM phone_calls ORDER BY id');
  const program = await way.start(database);
  // The simulator is the provider here, and signs with this token.
  const [{ value: token }] = await database.rows("SELECT value FROM settings WHERE name = 'simulator_auth_token'");
  const context = { way, report, database, program };
  const others = calls.slice(BURST);
  await measureWebhooks(context, `${PER_SECOND} a second`, {
    events: [...COURSE, undefined].flatMap((status, sequence) =>
      others.map((call) => eventOf(program.url, token, call, status ?? endOf(call), sequence)),
    ),
    connections: PER_SECOND,
    perSecond: PER_SECOND,
    goals: {},
  });
  await measureWebhooks(context, `burst of ${BURST}`, {
    events: calls.slice(0, BURST).map((call) => eventOf(program.url, token, call, endOf(call), 0)),
    connections: BURST,
    goals: { p99: 1_000 },
  });
  await program.stop();
  await database.drop();
}

async function measureWebhooks({ way, report, database, program }, name, { goals, ...task }) {
  const before = await countWebhooks(database);
  const watched = program.watchMemory();
  const { failures, ...times } = await runInChild('webhooks', task);
  const memory = watched();
  const row = { way: way.name };
  for (const what of ['p50', 'p99', 'max']) {
    const goal = goals[what] && ['by itself at most', goals[what]];
    report.add({ ...row, measure: `callbacks, ${name}: ${what}`, unit: 'ms', ours: times[what], goal, memory });
  }
  const after = await countWebhooks(database);
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const lost = task.events.length - (after.distinct - before.distinct);
  const repeated = after.stored - before.stored - (after.distinct - before.distinct);
  if (failed > 0) console.log(`callbacks, ${name}: failed`, failures);
  const wrong = task.events.filter(({ ends, id }) => ends && after.statuses.get(id) !== ends).length;
  report.add({
    ...row,
    measure: `callbacks, ${name}: failed, lost, repeated, wrong`,
    unit: '',
    ours: failed + lost + repeated + wrong,
    goal: ['by itself at most', 0],
    failures,
    lost,
    repeated,
    wrong,
    seconds: times.seconds,
  });
}

/** @returns the number of stored webhooks, the number of different ones, and the status of each call */
async function countWebhooks(database) {
  const status = database.dialect === 'postgres' ? `details ->> 'CallStatus'` : `details ->> '$.CallStatus'`;
  const [{ stored, distinct }] = await database.rows(
    `SELECT sum(times) AS stored, count(*) AS "distinct"
      FROM (SELECT count(*) AS times FROM remote_phone_call_events GROUP BY remote_call_id, ${status}) AS events`,
  );
  const calls = await database.rows('SELECT id, status FROM phone_calls');
  return {
    stored: Number(stored),
    distinct: Number(distinct),
    statuses: new Map(calls.map((call) => [call.id, call.status])),
  };
}

function eventOf(origin, token, call, status, sequence) {
  return {
    id: call.id,
    ends: ENDS[status],
    url: `${origin}/api/remote_phone_call_events?phone_call_id=${call.id}`,
    token,
    delivery: `${call.id}-${sequence}`,
    parameters: {
      CallSid: call.remote_call_id,
      AccountSid: `AC${'0'.repeat(32)}`,
      From: '2442',
      To: call.msisdn,
      CallStatus: status,
      ApiVersion: '2010-04-01',
      Direction: 'outbound-api',
      SequenceNumber: String(sequence),
      CallbackSource: 'call-progress-events',
    },
  };
}

function endOf({ id }) {
  const ends = Object.keys(ENDS);
  return ends[id % ends.length];
}

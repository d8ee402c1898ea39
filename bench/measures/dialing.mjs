import { setTimeout as pause } from 'node:timers/promises';
import { runInChild } from '../child-process.mjs';
import { Provider, startSink } from '../provider.mjs';
import { runAlternately } from '../run-alternately.mjs';
import { statementsOf } from '../statements.mjs';

/** The concurrency of one worker process of the program. */
const CONCURRENCY = 100;

/** Calls that warm up both sides and do not count. */
const WARMING = 1_000;

const TIMEOUT_MS = 300_000;
const ROUNDS = 2;

/** Measures calls a second, from the start of their callout until the provider's last response is recorded. */
export async function measure({ way, seed, flags, report }) {
  const calls = Math.min(flags.calls, flags.contacts - WARMING);
  const template = await seed.calls(WARMING + calls);
  const sink = await startSink();
  const request = { from: '2442', twiml: '<Response><Say>Hello</Say></Response>', status_callback: sink.url };
  let memory;
  const ours = withProvider(way, calls, async (provider) => {
    const database = await template.copy();
    const program = await way.start(database, { ...provider.environment, CALLS_PER_SECOND: '10000' });
    await dial(program, database, WARMING, request);
    const watched = program.watchMemory();
    const began = await dial(program, database, calls, request);
    const ended = await lastRecorded(database);
    memory = watched();
    await program.stop();
    await database.drop();
    return (1_000 * calls) / (ended - began);
  });
  const baseline = withProvider(way, calls, async ({ callsUrl: url, authorization }) => {
    const forms = Array.from({ length: WARMING + calls }, (_, n) => ({
      From: request.from,
      Twiml: request.twiml,
      StatusCallback: request.status_callback,
      To: `+85512${2_000_000 + n}`.replace(/99(..)$/, '00$1'),
    }));
    return (
      calls /
      (await runInChild('baseline-dialing', { url, authorization, forms, warming: WARMING, concurrency: CONCURRENCY }))
    );
  });
  const { all, ...medians } = await runAlternately(Math.min(ROUNDS, flags.rounds), ours, baseline);
  sink.stop();
  report.add({
    measure: `dialing ${calls} calls`,
    way: way.name,
    unit: '/s',
    ...medians,
    goal: ['at least', 0.5],
    memory,
    all,
  });
}

/** @returns a function that runs `work` with a new provider. It throws unless the provider accepted each call once. */
function withProvider({ folder }, calls, work) {
  return async () => {
    const provider = await Provider.start(folder);
    const result = await work(provider);
    const accepted = await provider.acceptedCalls();
    const expected = WARMING + calls;
    if (accepted !== expected) throw new Error(`The provider accepted ${accepted} of ${expected} calls`);
    await provider.stop();
    return result;
  };
}

/** Dials `calls` further calls, and waits until each has the provider's id. @returns the start (ms since 1970) */
async function dial(program, database, calls, request) {
  const send = (event) => program.send('POST', '/api/callouts/1/callout_events', { event });
  await database.rows(statementsOf(database).prepareDialing(calls, request));
  const began = Date.now();
  await send('resume');
  for (const deadline = began + TIMEOUT_MS; Date.now() < deadline; await pause(100)) {
    const [{ waiting }] = await database.rows(
      `SELECT count(*) AS waiting FROM phone_calls WHERE status <> 'created' AND remote_call_id IS NULL`,
    );
    if (waiting > 0) continue;
    await send('pause');
    return began;
  }
  throw new Error('Timed out before all calls were dialed');
}

/** @returns when the provider's last response was recorded (ms since 1970) */
async function lastRecorded(database) {
  const at = statementsOf(database).milliseconds('max(updated_at)');
  const [row] = await database.rows(`SELECT ${at} AS at FROM phone_calls WHERE remote_call_id IS NOT NULL`);
  return Number(row.at);
}

import { setTimeout as pause } from 'node:timers/promises';
import { runApart } from '../apart.mjs';
import { Provider, startSink } from '../provider.mjs';
import { inTurn } from '../rounds.mjs';
import { statementsOf } from '../statements.mjs';

/** As many dials as one process of ours has under way (src/queue/queue.port.ts). */
const CONCURRENCY = 100;

/** Calls by which both warm up. They do not count. */
const WARMING = 1_000;

const PATIENCE = 300_000;
const ROUNDS = 2;

/** Calls a second, from the moment that their callout runs until the provider's answer to the last of them is recorded. */
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
  const floor = withProvider(way, calls, async ({ callsUrl: url, authorization }) => {
    const forms = Array.from({ length: WARMING + calls }, (_, n) => ({
      From: request.from,
      Twiml: request.twiml,
      StatusCallback: request.status_callback,
      To: `+85512${2_000_000 + n}`.replace(/99(..)$/, '00$1'),
    }));
    return (
      calls / (await runApart('plain-dials', { url, authorization, forms, warming: WARMING, concurrency: CONCURRENCY }))
    );
  });
  const { all, ...medians } = await inTurn(Math.min(ROUNDS, flags.rounds), ours, floor);
  sink.stop();
  report.add({
    measure: `dialling ${calls} calls`,
    way: way.name,
    unit: '/s',
    ...medians,
    goal: ['at least', 0.5],
    memory,
    all,
  });
}

/** Work with a provider that has done nothing before; each of the calls must have reached it, once. */
function withProvider({ folder }, calls, work) {
  return async () => {
    const provider = await Provider.start(folder);
    const result = await work(provider);
    const taken = await provider.taken();
    const asked = WARMING + calls;
    if (taken !== asked) throw new Error(`The provider took ${taken} of ${asked} calls`);
    await provider.stop();
    return result;
  };
}

/** Dials so many more calls, until each of them has the provider's id. Answers when their callout began to run, in milliseconds since 1970. */
async function dial(program, database, calls, request) {
  const send = (event) => program.send('POST', '/api/callouts/1/callout_events', { event });
  await database.rows(statementsOf(database).prepareDialling(calls, request));
  const began = Date.now();
  await send('resume');
  for (const deadline = began + PATIENCE; Date.now() < deadline; await pause(100)) {
    const [{ waiting }] = await database.rows(
      `SELECT count(*) AS waiting FROM phone_calls WHERE status <> 'created' AND remote_call_id IS NULL`,
    );
    if (waiting > 0) continue;
    await send('pause');
    return began;
  }
  throw new Error('Not all calls were dialled');
}

/** When the provider's answer to the last call was recorded, in milliseconds since 1970. */
async function lastRecorded(database) {
  const at = statementsOf(database).milliseconds('max(updated_at)');
  const [row] = await database.rows(`SELECT ${at} AS at FROM phone_calls WHERE remote_call_id IS NOT NULL`);
  return Number(row.at);
}

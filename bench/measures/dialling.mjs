import { setTimeout as pause } from 'node:timers/promises';
import { runApart } from '../apart.mjs';
import { Provider, startSink } from '../provider.mjs';
import { inTurn } from '../rounds.mjs';
import { statementsOf } from '../statements.mjs';

/** As many dials as one process of ours has under way (src/queue/queue.port.ts). */
const CONCURRENCY = 100;

const PATIENCE = 300_000;
const ROUNDS = 2;

/** Calls a second, from the moment that their callout runs until the provider's answer to the last of them is recorded. */
export async function measure({ way, seed, flags, report }) {
  const calls = Math.min(flags.calls, flags.contacts);
  const template = await seed.calls(calls);
  const sink = await startSink();
  const request = { from: '2442', twiml: '<Response><Say>Hello</Say></Response>', status_callback: sink.url };
  let memory;
  const ours = withProvider(way, calls, async (provider) => {
    const database = await template.copy();
    await database.rows(statementsOf(database).prepareDialling(request));
    const program = await way.start(database, { ...provider.environment, CALLS_PER_SECOND: '10000' });
    const watched = program.watchMemory();
    const began = Date.now();
    await program.send('POST', '/api/callouts/1/callout_events', { event: 'resume' });
    const ended = await allRecorded(database, calls);
    memory = watched();
    await program.stop();
    await database.drop();
    return (1_000 * calls) / (ended - began);
  });
  const floor = withProvider(way, calls, async ({ callsUrl: url, authorization }) => {
    const forms = Array.from({ length: calls }, (_, n) => ({
      From: request.from,
      Twiml: request.twiml,
      StatusCallback: request.status_callback,
      To: `+85512${2_000_000 + n}`.replace(/99(..)$/, '00$1'),
    }));
    return calls / (await runApart('plain-dials', { url, authorization, forms, concurrency: CONCURRENCY }));
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
    if (taken !== calls) throw new Error(`The provider took ${taken} of ${calls} calls`);
    await provider.stop();
    return result;
  };
}

/** Waits until each call has the provider's id. Answers when the last got it, in milliseconds since 1970. */
async function allRecorded(database, calls) {
  const at = statementsOf(database).milliseconds('max(updated_at)');
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await pause(100)) {
    const [row] = await database.rows(
      `SELECT count(*) AS recorded, ${at} AS at FROM phone_calls WHERE remote_call_id IS NOT NULL`,
    );
    if (row.recorded === calls) return Number(row.at);
  }
  throw new Error('Not all calls were dialled');
}

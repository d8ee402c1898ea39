import { setTimeout as pause } from 'node:timers/promises';
import { Provider } from './provider.mjs';
import { statementsOf } from './statements.mjs';

/** Calls that warm up the program or the baseline and do not count. */
export const WARMING = 1_000;

const TIMEOUT_MS = 300_000;

/** The settings of a program without a rate limit. */
const WITHOUT_LIMIT = { CALLS_PER_SECOND: '10000' };

/** The parameters of the requests for calls. @param sink the server that receives their status callbacks */
export function requestTo(sink) {
  return { from: '2442', twiml: '<Response><Say>Hello</Say></Response>', status_callback: sink.url };
}

/** @returns a function that runs `work` with a new provider. It throws unless the provider accepted each call once. */
export function withProvider({ folder }, calls, work) {
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

/**
 * Starts the program, warms it up, and dials `calls` calls.
 *
 * @param prepare is called with a number of calls, and returns the statements after which the callout dials that many
 * @param startLoad puts a load on the program beside the measured calls. It returns a function that stops the load
 * @returns calls a second, from the start of the callout until the provider's last response is recorded, and the memory
 */
export async function measureDialing({ way, template, provider, calls, prepare, startLoad }) {
  const database = await template.copy();
  const program = await way.start(database, { ...provider.environment, ...WITHOUT_LIMIT });
  await dial(program, database, WARMING, prepare);
  const watched = program.watchMemory();
  const stopLoad = startLoad?.(program);
  const began = await dial(program, database, calls, prepare);
  await stopLoad?.();
  const ended = await lastRecorded(database);
  const memory = watched();
  await program.stop();
  await database.drop();
  return { perSecond: (1_000 * calls) / (ended - began), memory };
}

/** Dials `calls` further calls, and waits until each has the provider's id. @returns the start (ms since 1970) */
async function dial(program, database, calls, prepare) {
  const send = (event) => program.send('POST', '/api/callouts/1/callout_events', { event });
  const expected = (await countDialed(database)) + calls;
  await database.inTransaction(prepare(statementsOf(database), calls));
  const began = Date.now();
  await send('resume');
  for (const deadline = began + TIMEOUT_MS; Date.now() < deadline; await pause(100)) {
    if ((await countDialed(database)) < expected) continue;
    await send('pause');
    return began;
  }
  throw new Error('Timed out before all calls were dialed');
}

async function countDialed(database) {
  const [{ count }] = await database.rows('SELECT count(remote_call_id) AS count FROM phone_calls');
  return count;
}

/** @returns when the provider's last response was recorded (ms since 1970) */
async function lastRecorded(database) {
  const at = statementsOf(database).milliseconds('max(updated_at)');
  const [row] = await database.rows(`SELECT ${at} AS at FROM phone_calls WHERE remote_call_id IS NOT NULL`);
  return Number(row.at);
}

import { startChild } from './child-process.mjs';
import { HttpClient } from './processes/http-client.mjs';
import { median } from './statistics.mjs';

const MOST_PAIRS = 40;
const LEAST_PAIRS = 5;
const MOST_SECONDS = 8;

/**
 * Starts the program and the bare server, each on a copy of a database, and stops them after `work`.
 *
 * @param work receives the URLs of both, a client, and `compare(measure, here, there)`, which adds the latencies of two
 *   requests to the report
 */
export async function withBareServer({ way, report }, template, work) {
  const [ours, theirs] = [await template.copy(), await template.copy()];
  const program = await way.start(ours);
  const bare = await startChild('bare-server', theirs.address);
  const requests = new HttpClient(1);
  const compare = async (measure, here, there) => {
    const times = await compareLatencies(requests, here, there);
    report.add({
      measure,
      way: way.name,
      unit: 'ms',
      ours: median(times.ours),
      baseline: median(times.baseline),
      goal: ['at most', 1.5],
      all: times,
    });
  };
  await work({ program: program.url, bare: bare.answer.url, requests, compare });
  await program.stop();
  await bare.stop();
  for (const database of [ours, theirs]) await database.drop();
}

/**
 * Requests the program and the baseline alternately, one at a time.
 *
 * @returns the latencies (ms), without the first few requests, which warm up both sides
 */
async function compareLatencies(requests, here, there) {
  const times = { ours: [], baseline: [] };
  for (let warm = 0; warm < LEAST_PAIRS; warm++) for (const url of [here, there]) await timed(requests, url);
  const began = performance.now();
  const isOver = () => performance.now() - began > MOST_SECONDS * 1_000 && times.ours.length >= LEAST_PAIRS;
  while (times.ours.length < MOST_PAIRS && !isOver()) {
    times.ours.push(await timed(requests, here));
    times.baseline.push(await timed(requests, there));
  }
  return times;
}

async function timed(requests, url) {
  const began = performance.now();
  const status = await requests.send(url);
  if (status !== 200) throw new Error(`${url} had status ${status}`);
  return performance.now() - began;
}

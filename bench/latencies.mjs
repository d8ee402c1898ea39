const MOST_PAIRS = 40;
const LEAST_PAIRS = 5;
const MOST_SECONDS = 8;

/**
 * Requests the program and the baseline alternately, one at a time.
 *
 * @returns the latencies (ms), without the first few requests, which warm up both sides
 */
export async function compareLatencies(requests, here, there) {
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

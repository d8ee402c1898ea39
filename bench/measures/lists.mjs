import { startChild } from '../child-process.mjs';
import { compareLatencies } from '../latencies.mjs';
import { HttpClient } from '../processes/http-client.mjs';
import { PROVINCE } from '../statements.mjs';
import { median } from '../statistics.mjs';

const PER_PAGE = 25;
const UNKNOWN_PARAMETER = 422;

/** Measures the latency of single lists, of the program and of the same SQL from a bare server, alternately. */
export async function measure({ way, seed, flags, report }) {
  const template = await seed.contacts();
  const [ours, theirs] = [await template.copy(), await template.copy()];
  const program = await way.start(ours);
  const bare = await startChild('bare-server', theirs.address);
  const requests = new HttpClient(1);
  const last = Math.ceil(flags.contacts / PER_PAGE);
  const middle = Math.floor(flags.contacts / 2);
  const lists = [
    { name: 'q[metadata][province]', ours: `q[metadata][province]=${PROVINCE}`, baseline: `province=${PROVINCE}` },
    { name: `page=${last}`, ours: `page=${last}`, baseline: `page=${last}` },
    { name: `after_id=${middle}`, ours: `after_id=${middle}`, baseline: `after_id=${middle}` },
  ];
  for (const list of lists) {
    const [here, there] = [
      `${program.url}/api/contacts?${list.ours}`,
      `${bare.answer.url}/api/contacts?${list.baseline}`,
    ];
    const measure = `GET /api/contacts?${list.name} of ${flags.contacts}`;
    if ((await requests.send(here)) === UNKNOWN_PARAMETER) {
      console.log(`${measure}: not offered`);
      continue;
    }
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
  }
  await program.stop();
  await bare.stop();
  for (const database of [ours, theirs]) await database.drop();
}

import { withBareServer } from '../latencies.mjs';
import { PROVINCE } from '../statements.mjs';

const PER_PAGE = 25;
const UNKNOWN_PARAMETER = 422;

/** Measures the latency of single lists, of the program and of the same SQL from a bare server, alternately. */
export async function measure({ way, seed, flags, report }) {
  const last = Math.ceil(flags.contacts / PER_PAGE);
  const middle = Math.floor(flags.contacts / 2);
  const lists = [
    { name: 'q[metadata][province]', ours: `q[metadata][province]=${PROVINCE}`, baseline: `province=${PROVINCE}` },
    { name: `page=${last}`, ours: `page=${last}`, baseline: `page=${last}` },
    { name: `after_id=${middle}`, ours: `after_id=${middle}`, baseline: `after_id=${middle}` },
  ];
  await withBareServer({ way, report }, await seed.contacts(), async ({ program, bare, requests, compare }) => {
    for (const list of lists) {
      const here = `${program}/api/contacts?${list.ours}`;
      const measure = `GET /api/contacts?${list.name} of ${flags.contacts}`;
      if ((await requests.send(here)) === UNKNOWN_PARAMETER) console.log(`${measure}: not offered`);
      else await compare(measure, here, `${bare}/api/contacts?${list.baseline}`);
    }
  });
}

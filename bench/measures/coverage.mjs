import { setInterval } from 'node:timers/promises';
import { WARMING, measureDialing, requestTo, withProvider } from '../dial.mjs';
import { withBareServer } from '../latencies.mjs';
import { startSink } from '../provider.mjs';
import { runAlternately } from '../run-alternately.mjs';

const REPORTS = ['coverage', 'coverage?group_by=metadata.province'];

/** Measures how long reports on a callout take, and what they cost while it is dialed. */
export async function measure(bench) {
  await measureReports(bench);
  await measureDialingUnderLoad(bench);
}

/** The latency of reports, and of the plain GROUP BY from a bare server, alternately. */
async function measureReports({ way, seed, flags, report }) {
  await withBareServer({ way, report }, await seed.called(), async ({ program, bare, compare }) => {
    for (const path of REPORTS) {
      const [here, there] = [program, bare].map((url) => `${url}/api/callouts/1/${path}`);
      await compare(`GET ${path} of ${flags.contacts}`, here, there);
    }
  });
}

/** Calls a second of a callout with all contacts, while its coverage is requested once a second and while it is not. */
async function measureDialingUnderLoad({ way, seed, flags, report }) {
  const calls = Math.min(flags.calls, flags.contacts - WARMING);
  const template = await seed.canceled();
  const sink = await startSink();
  const request = requestTo(sink);
  const prepare = ({ planSome }, count) => planSome(count, request);
  const dialing = (startLoad) =>
    withProvider(
      way,
      calls,
      async (provider) => (await measureDialing({ way, template, provider, calls, prepare, startLoad })).perSecond,
    );
  const { all, ...medians } = await runAlternately(flags.rounds, dialing(pollCoverage), dialing());
  sink.stop();
  report.add({
    measure: `dialing ${calls} calls while coverage is polled`,
    way: way.name,
    unit: '/s',
    ...medians,
    goal: ['at least', 0.95],
    all,
  });
}

/** Requests the coverage at once, and then once a second. @returns a function that ends this */
function pollCoverage(program) {
  const controller = new AbortController();
  const poll = async () => {
    await program.send('GET', '/api/callouts/1/coverage');
    for await (const _ of setInterval(1_000, undefined, controller)) {
      await program.send('GET', '/api/callouts/1/coverage');
    }
  };
  const polling = poll().catch((error) => {
    if (!controller.signal.aborted) throw error;
  });
  return async () => {
    controller.abort();
    await polling;
  };
}

import { runInChild } from '../child-process.mjs';
import { WARMING, measureDialing, requestTo, withProvider } from '../dial.mjs';
import { startSink } from '../provider.mjs';
import { runAlternately } from '../run-alternately.mjs';

/** The concurrency of one worker process of the program. */
const CONCURRENCY = 100;

const ROUNDS = 2;

/** Measures calls a second, from the start of their callout until the provider's last response is recorded. */
export async function measure({ way, seed, flags, report }) {
  const calls = Math.min(flags.calls, flags.contacts - WARMING);
  const template = await seed.calls(WARMING + calls);
  const sink = await startSink();
  const request = requestTo(sink);
  let memory;
  const ours = withProvider(way, calls, async (provider) => {
    const prepare = ({ queueSome }, count) => queueSome(count, request);
    const measured = await measureDialing({ way, template, provider, calls, prepare });
    memory = measured.memory;
    return measured.perSecond;
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

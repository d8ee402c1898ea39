import { WARMING, measureDialing, requestTo, withProvider } from '../dial.mjs';
import { startSink } from '../provider.mjs';
import { Reads } from '../reads.mjs';
import { runAlternately } from '../run-alternately.mjs';
import { REQUEST, statementsOf } from '../statements.mjs';

/** Above this number of contacts, attempts take long enough to be measured only once. */
const MANY = 300_000;
const ROUNDS = 2;

/** Measures callouts that run themselves: how fast a plan dials, and how fast its attempts are made. */
export async function measure(bench) {
  await measurePlan(bench);
  await measureAttempts(bench);
}

/** Calls a second of a plan, which makes its attempts meanwhile, and of calls that are all queued at the start. */
async function measurePlan({ way, seed, flags, report }) {
  const calls = Math.min(flags.calls, flags.contacts - WARMING);
  const participations = await seed.participations(WARMING + calls);
  const created = await seed.calls(WARMING + calls);
  const sink = await startSink();
  const request = requestTo(sink);
  let memory;
  const ours = withProvider(way, calls, async (provider) => {
    const prepare = ({ planSome }, count) => planSome(count, request);
    const measured = await measureDialing({ way, template: participations, provider, calls, prepare });
    memory = measured.memory;
    return measured.perSecond;
  });
  const baseline = withProvider(way, calls, async (provider) => {
    const prepare = ({ queueSome }, count) => queueSome(count, request);
    return (await measureDialing({ way, template: created, provider, calls, prepare })).perSecond;
  });
  const { all, ...medians } = await runAlternately(flags.rounds, ours, baseline);
  sink.stop();
  report.add({
    measure: `plan: dialing ${calls} calls`,
    way: way.name,
    unit: '/s',
    ...medians,
    goal: ['at least', 0.9],
    memory,
    all,
  });
}

/**
 * Makes an attempt for each participation. The program makes no more while 10,000 wait to be dialed. So the bench moves
 * these on whenever the program can make no more, and does not count the time that this takes.
 */
async function measureAttempts({ way, seed, flags, report }) {
  const template = await seed.participations();
  const reads = new Reads(flags.contacts);
  const memory = { peakMiB: 0, growthMiB: 0 };
  const ours = async () => {
    const database = await template.copy();
    const { planAll, dialQueued } = statementsOf(database);
    await database.inTransaction(planAll(REQUEST));
    const runner = await way.startRunner(database);
    const watched = runner.watchMemory();
    const seconds = await reads.during(runner.url, async () => {
      let sum = 0;
      for (let made = 0; made < flags.contacts;) {
        sum += await runner.advance();
        const before = made;
        made = await countOf(database);
        if (made === before) throw new Error(`Only ${made} attempts were made`);
        await database.rows(dialQueued());
      }
      return sum;
    });
    for (const [name, value] of Object.entries(watched())) memory[name] = Math.max(memory[name], value);
    await runner.stop();
    await database.drop();
    return seconds;
  };
  const baseline = async () => {
    const database = await template.copy();
    const began = performance.now();
    await database.inTransaction(statementsOf(database).makeAttempts());
    const seconds = (performance.now() - began) / 1_000;
    await database.drop();
    return seconds;
  };
  const rounds = flags.contacts > MANY ? 1 : Math.min(ROUNDS, flags.rounds);
  const { all, ...medians } = await runAlternately(rounds, ours, baseline);
  const shared = { way: way.name };
  const measure = `attempts for ${flags.contacts} people`;
  report.add({ ...shared, measure, unit: 's', ...medians, goal: ['at most', 2], memory, all });
  const growth = ['by itself at most', 64];
  report.add({ ...shared, measure: 'attempts: memory grew', unit: 'MiB', ours: memory.growthMiB, goal: growth });
  reads.report(report, { ...shared, measure: 'attempts: p99 of reads during it' });
}

async function countOf(database) {
  const [{ count }] = await database.rows('SELECT count(*) AS count FROM phone_calls WHERE attempt IS NOT NULL');
  return Number(count);
}

import { setTimeout as pause } from 'node:timers/promises';
import { Reads } from '../reads.mjs';
import { runAlternately } from '../run-alternately.mjs';
import { PROVINCE, REQUEST, statementsOf } from '../statements.mjs';

/** Above this number of contacts, a batch takes long enough to be measured only once. */
const MANY = 300_000;
const ROUNDS = 2;

const batches = [
  {
    name: 'population',
    begin: (seed) => seed.contacts(),
    type: 'CalloutPopulation',
    parameters: {},
    baseline: ({ populate }) => [populate()],
    result: 'callout_participations',
    goal: 1.5,
    growth: 64,
  },
  {
    name: 'population, a tenth',
    begin: (seed) => seed.contacts(),
    type: 'CalloutPopulation',
    parameters: { contact_filter_params: { metadata: { province: PROVINCE } } },
    baseline: ({ populate, inProvince }) => [populate(inProvince)],
    result: 'callout_participations',
    goal: 1.5,
    growth: 64,
  },
  {
    name: 'PhoneCallCreate',
    begin: (seed) => seed.participations(),
    type: 'PhoneCallCreate',
    parameters: { remote_request_params: REQUEST },
    baseline: ({ createCalls }) => [createCalls()],
    result: "phone_calls WHERE status = 'created'",
    goal: 2,
  },
  {
    name: 'PhoneCallQueue',
    begin: (seed) => seed.calls(),
    type: 'PhoneCallQueue',
    parameters: {},
    baseline: ({ queueCalls }) => queueCalls(),
    result: "phone_calls WHERE status = 'queued'",
    goal: 2,
  },
];

/** Measures batches: the time from the event `queue` to `finished`, memory, and the latency of concurrent reads. */
export async function measure(bench) {
  for (const batch of batches) await measureBatch(bench, batch);
}

async function measureBatch({ way, seed, flags, report }, batch) {
  const template = await batch.begin(seed);
  const rows = {};
  const reads = new Reads(flags.contacts);
  const memory = { peakMiB: 0, growthMiB: 0 };
  const ours = async () => {
    const database = await template.copy();
    const program = await way.start(database);
    const id = await draft(program, batch);
    let watched;
    const seconds = await reads.during(program.url, async () => {
      watched = program.watchMemory();
      const began = Date.now();
      await program.send('POST', `/api/batch_operations/${id}/batch_operation_events`, { event: 'queue' });
      return ((await finished(database, id)) - began) / 1_000;
    });
    for (const [name, value] of Object.entries(watched())) memory[name] = Math.max(memory[name], value);
    rows.ours = await countOf(database, batch);
    await program.stop();
    await database.drop();
    return seconds;
  };
  const baseline = async () => {
    const database = await template.copy();
    await database.rows('SELECT 1');
    const began = performance.now();
    await database.inTransaction(batch.baseline(statementsOf(database)));
    const seconds = (performance.now() - began) / 1_000;
    rows.baseline = await countOf(database, batch);
    await database.drop();
    return seconds;
  };
  const { all, ...medians } = await runAlternately(
    flags.contacts > MANY ? 1 : Math.min(ROUNDS, flags.rounds),
    ours,
    baseline,
  );
  if (rows.ours !== rows.baseline) throw new Error(`${batch.name}: ${rows.ours} rows, and ${rows.baseline} by hand`);
  const shared = { way: way.name };
  const measured = `${batch.name} (${rows.ours} of ${flags.contacts})`;
  report.add({ ...shared, measure: measured, unit: 's', ...medians, goal: ['at most', batch.goal], memory, all });
  if (batch.growth) {
    const goal = ['by itself at most', batch.growth];
    report.add({ ...shared, measure: `${batch.name}: memory grew`, unit: 'MiB', ours: memory.growthMiB, goal });
  }
  reads.report(report, { ...shared, measure: `${batch.name}: p99 of reads during it` });
}

async function draft(program, { type, parameters }) {
  const path = '/api/callouts/1/batch_operations';
  return (await program.send('POST', path, { type: `BatchOperation::${type}`, parameters })).id;
}

/** Waits until a batch has finished. @returns when, by its row (ms since 1970) @throws Error when it failed */
async function finished(database, id) {
  const at = statementsOf(database).milliseconds('updated_at');
  for (;;) {
    const [row] = await database.rows(`SELECT status, error, ${at} AS at FROM batch_operations WHERE id = ${id}`);
    if (row.status === 'finished') return Number(row.at);
    if (row.status === 'failed') throw new Error(`Batch operation ${id} failed: ${row.error}`);
    await pause(50);
  }
}

async function countOf(database, { result }) {
  const [{ count }] = await database.rows(`SELECT count(*) AS count FROM ${result}`);
  return count;
}

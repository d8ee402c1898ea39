import { runInChild, startChild } from '../child-process.mjs';
import { runAlternately } from '../run-alternately.mjs';

const CONNECTIONS = 16;
const SMALL = 1_000;
const NAMES = { list: 'GET /api/contacts', find: 'GET /api/contacts/:id', create: 'POST /api/contacts' };

/** How long both sides warm up (s). V8 needs some thousands of requests to optimize the code. */
const WARMING_SECONDS = 3;

/** The phone numbers that are reserved for each round. */
const NUMBERS_A_ROUND = 100_000;

/** The first of these numbers, without its prefix. A number such as 1111111 or 2222222 would be refused. */
const FIRST_NUMBER = 2_300_000;

/** Measures requests a second, of the program and of a bare server on a copy of its tables. */
export async function measure(bench) {
  await onTables(bench, bench.flags.contacts, ['list', 'find', 'create']);
  await onTables(bench, SMALL, ['list']);
}

async function onTables({ way, seed, flags, report }, contacts, kinds) {
  const template = await seed.contacts(contacts);
  const [ours, theirs] = [await template.copy(), await template.copy()];
  const program = await way.start(ours);
  const bare = await startChild('bare-server', theirs.address);
  for (const kind of kinds) {
    const sendLoad = async (url, seconds, round) => {
      const nextNumber = FIRST_NUMBER + round * NUMBERS_A_ROUND;
      const result = await runInChild('load-requests', {
        kind,
        url,
        seconds,
        connections: CONNECTIONS,
        contacts,
        nextNumber,
      });
      if (result.failed > 0) throw new Error(`${result.failed} of ${kind} failed at ${url}`);
      return result.perSecond;
    };
    for (const { url } of [program, bare.answer]) await sendLoad(url, WARMING_SECONDS, flags.rounds);
    const memory = program.watchMemory();
    const { all, ...medians } = await runAlternately(
      flags.rounds,
      (round) => sendLoad(program.url, flags.seconds, round),
      (round) => sendLoad(bare.answer.url, flags.seconds, round),
    );
    report.add({
      measure: `${NAMES[kind]} of ${contacts}`,
      way: way.name,
      unit: '/s',
      ...medians,
      goal: ['at least', 0.6],
      memory: memory(),
      all,
    });
  }
  await program.stop();
  await bare.stop();
  for (const database of [ours, theirs]) await database.drop();
}

import { runApart, startApart } from '../apart.mjs';
import { inTurn } from '../rounds.mjs';

const CONNECTIONS = 16;
const SMALL = 1_000;
const NAMES = { list: 'GET /api/contacts', find: 'GET /api/contacts/:id', create: 'POST /api/contacts' };

/** By which both warm up: it takes the compiler some thousands of requests. */
const WARMING_SECONDS = 3;

/** Of the numbers that are created, so many belong to each round. */
const NUMBERS_A_ROUND = 100_000;

/** Requests a second, of the program and of a bare server on a copy of its tables. */
export async function measure(bench) {
  await onTables(bench, bench.flags.contacts, ['list', 'find', 'create']);
  await onTables(bench, SMALL, ['list']);
}

async function onTables({ way, seed, flags, report }, contacts, kinds) {
  const template = await seed.contacts(contacts);
  const [ours, theirs] = [await template.copy(), await template.copy()];
  const program = await way.start(ours);
  const bare = await startApart('bare-server', theirs.address);
  for (const kind of kinds) {
    const shoot = async (url, seconds, round) => {
      const nextNumber = 1_000_000 + round * NUMBERS_A_ROUND;
      const shot = await runApart('cannon', { kind, url, seconds, connections: CONNECTIONS, contacts, nextNumber });
      if (shot.failed > 0) throw new Error(`${shot.failed} of ${kind} failed at ${url}`);
      return shot.perSecond;
    };
    for (const { url } of [program, bare.answer]) await shoot(url, WARMING_SECONDS, flags.rounds);
    const memory = program.watchMemory();
    const { all, ...medians } = await inTurn(
      flags.rounds,
      (round) => shoot(program.url, flags.seconds, round),
      (round) => shoot(bare.answer.url, flags.seconds, round),
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

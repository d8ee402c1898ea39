import { build, install } from './prepare.mjs';
import { findPrograms, postgresPrograms, redisPrograms } from './servers.mjs';
import { runTests } from './vitest.mjs';

// `npm run test:faults`: starts the program with servers of its own, breaks things, mends them, and checks the books. SEED=… repeats the
// choices of an earlier run; FAULTS=short is what `.ci/run` has time for.
install();
build();
findPrograms({ ...postgresPrograms, ...redisPrograms, faketime: 'faketime', strace: 'strace' });
const seed = process.env.SEED || String(Math.floor(Math.random() * 2 ** 31));
const form = process.env.FAULTS || 'full';
console.log(`Faults, the ${form} form. The same choices again: SEED=${seed} FAULTS=${form} npm run test:faults`);
const code = await runTests(['--project=faults', '--disableConsoleIntercept=true', ...process.argv.slice(2)], {
  SEED: seed,
  FAULTS: form,
});
if (code !== 0) console.error(`The faults were found with SEED=${seed} FAULTS=${form}`);
process.exit(code);

import { build, install } from './prepare.mjs';
import { findPrograms, postgresPrograms, redisPrograms } from './programs.mjs';
import { runTests } from './vitest.mjs';

// `npm run test:faults`: runs the program during faults, restores it, and checks that its books balance. SEED=… repeats
// the random choices of an earlier run. FAULTS=short selects the profile that `.ci/run` has time for.
install();
build();
findPrograms({ ...postgresPrograms, ...redisPrograms, faketime: 'faketime', strace: 'strace' });
const seed = process.env.SEED || String(Math.floor(Math.random() * 2 ** 31));
const profile = process.env.FAULTS || 'full';
console.log(`Fault tests, ${profile} profile. To repeat this run: SEED=${seed} FAULTS=${profile} npm run test:faults`);
const code = await runTests(['--project=faults', '--disableConsoleIntercept=true', ...process.argv.slice(2)], {
  SEED: seed,
  FAULTS: profile,
});
if (code !== 0) console.error(`The fault tests failed with SEED=${seed} FAULTS=${profile}`);
process.exit(code);

import { parseArgs } from 'node:util';

/** As many people as there are calls in the measure of callbacks, and a few more. */
const LEAST_CONTACTS = 5_000;

const USAGE = `npm run bench -- [flags]
  --contacts=100000       people in the tables that are worked on
  --calls=2000            calls that are dialled
  --seconds=2             length of each round of requests
  --rounds=3              rounds of ours and of the floor, in turn; the median counts
  --way=embedded|cluster  only this way to run the program
  --only=name,name        only these measures
  --log-level=info        the program's LOG_LEVEL
  --output=path           where the JSON goes`;

const options = {
  contacts: { type: 'string', default: '100000' },
  calls: { type: 'string', default: '2000' },
  seconds: { type: 'string', default: '2' },
  rounds: { type: 'string', default: '3' },
  way: { type: 'string' },
  only: { type: 'string' },
  'log-level': { type: 'string', default: 'info' },
  output: { type: 'string', default: `bench/results/${new Date().toISOString().replaceAll(':', '')}.json` },
  help: { type: 'boolean', default: false },
};

/** What the command line asks for; ends the process with a sentence when it cannot be read. */
export function readFlags(args, measures) {
  try {
    const { values } = parseArgs({ args, options });
    if (values.help) throw new Error('');
    return {
      contacts: whole(values, 'contacts', LEAST_CONTACTS),
      calls: whole(values, 'calls'),
      seconds: whole(values, 'seconds'),
      rounds: whole(values, 'rounds'),
      ways: among(values.way, ['embedded', 'cluster'], 'way'),
      measures: among(values.only, measures, 'measure'),
      logLevel: values['log-level'],
      output: values.output,
    };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}\nMeasures: ${measures.join(', ')}`.trim());
    process.exit(error.message === '' ? 0 : 1);
  }
}

function whole(values, name, least = 1) {
  const value = values[name];
  if (!/^\d+$/.test(value) || Number(value) < least) throw new Error(`--${name} must be a whole number from ${least}`);
  return Number(value);
}

function among(given, all, what) {
  if (given === undefined) return all;
  const names = given.split(',');
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`There is no ${what} ${unknown}`);
  return names;
}

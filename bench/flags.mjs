import { parseArgs } from 'node:util';

/** The callbacks measure needs a contact for each of its calls. */
const LEAST_CONTACTS = 5_000;

const USAGE = `npm run bench -- [flags]
  --contacts=100000       contacts in the database
  --calls=2000            calls to dial
  --seconds=2             length of each round of requests
  --rounds=3              rounds of the program and of the baseline; the medians are compared
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

/** @returns the options of the command line. Prints the usage and exits when an argument is not valid. */
export function readFlags(args, measures) {
  try {
    const { values } = parseArgs({ args, options });
    if (values.help) throw new Error('');
    return {
      contacts: positiveInteger(values, 'contacts', LEAST_CONTACTS),
      calls: positiveInteger(values, 'calls'),
      seconds: positiveInteger(values, 'seconds'),
      rounds: positiveInteger(values, 'rounds'),
      ways: selectNames(values.way, ['embedded', 'cluster'], 'way'),
      measures: selectNames(values.only, measures, 'measure'),
      logLevel: values['log-level'],
      output: values.output,
    };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}\nMeasures: ${measures.join(', ')}`.trim());
    process.exit(error.message === '' ? 0 : 1);
  }
}

function positiveInteger(values, name, least = 1) {
  const value = values[name];
  if (!/^\d+$/.test(value) || Number(value) < least)
    throw new Error(`--${name} must be an integer of at least ${least}`);
  return Number(value);
}

function selectNames(given, all, what) {
  if (given === undefined) return all;
  const names = given.split(',');
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`There is no ${what} ${unknown}`);
  return names;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build, install, root } from './prepare.mjs';

// `npm run demo`: 200 people call in and register, the river rises in one province, and a callout that runs itself
// warns the people who live there: whoever did not confirm is called again. The simulator places the calls. The demo
// removes its data. `npm run demo -- http://127.0.0.1:3000` uses a running program, whose provider must be the simulator
// and whose INBOUND_CALL_FLOW_LOGIC must be CallFlowLogic::Registration. A number after the URL is that of the people.

const PEOPLE = Number(process.argv[3] ?? 200);
const CALLERS_AT_ONCE = 50;
const TIMEOUT_MS = 300_000;
const PROVINCES = ['Battambang', 'Kampong Thom', 'Phnom Penh', 'Pursat', 'Siem Reap'];
const FLOODED = 'Pursat';
const SENDER = '2442';
const MAX_ATTEMPTS = 3;
/** The final outcomes, in the order of the table. */
const OUTCOMES = {
  confirmed: 'pressed 1: they know',
  answered: 'answered, and did not confirm',
  machine: 'only a machine answered',
  busy: 'busy',
  not_answered: 'nobody answered',
  failed: 'could not be reached',
  errored: 'refused by the provider',
  uncertain: 'unknown',
  opted_out: 'want no more calls',
  canceled: 'canceled',
  expired: 'too late',
};
/** Pauses of a second: the demo has no time. The defaults are minutes. */
const CALLOUT = {
  call_flow_logic: 'CallFlowLogic::PlayMessage',
  metadata: { message: `The river is rising in ${FLOODED}. Please go to higher ground now.` },
  audience: { contact_filter_params: { metadata: { province: FLOODED } } },
  dial_plan: {
    remote_request_params: { from: SENDER, machine_detection: 'Enable' },
    until: 'confirmed',
    max_attempts: MAX_ATTEMPTS,
    retries: Object.fromEntries(
      ['busy', 'not_answered', 'machine', 'failed', 'answered'].map((result) => [result, { max: 2, after: [1] }]),
    ),
  },
};

/** The latest progress that was shown. */
let shown = '';

const given = process.argv[2];
const program = given ? { url: given, stop: async () => {} } : await startProgram();
try {
  await runDemo(program.url);
} finally {
  await program.stop();
}

async function runDemo(url) {
  const people = await register(url);
  const inDanger = people.filter(({ province }) => province === FLOODED);
  await assertRegistered(url, inDanger);
  await send(url, 'PUT', `/simulator/people/${encodeURIComponent(inDanger[0].msisdn)}`, {
    ending: 'answered',
    machine: false,
    keys: ['9'],
  });
  await printResults(url, await warn(url));
}

/** Simulates people who call in, and choose a language and their province by keypad. @returns the people */
async function register(url) {
  console.log(`${PEOPLE} people call in to register, at ${url}`);
  const first = 1_000_000 + Math.floor(Math.random() * 8_000) * 1_000;
  // The simulator forces an outcome for numbers that end in 99xx, so none does.
  const people = Array.from({ length: PEOPLE }, (_, n) => ({
    msisdn: `+85512${first + n}`,
    province: PROVINCES[n % PROVINCES.length],
  }));
  let registered = 0;
  await inParallel(CALLERS_AT_ONCE, PEOPLE, async (n) => {
    const { msisdn, province } = people[n];
    const keys = [String(1 + (n % 2)), String(1 + PROVINCES.indexOf(province)), '1'];
    await send(url, 'POST', '/simulator/inbound_calls', { from: msisdn, to: SENDER, keys, wait: true });
    showProgress('registered', ++registered, PEOPLE);
  });
  console.log('\n');
  return people;
}

/** @throws Error when a person is not registered in the province that they chose */
async function assertRegistered(url, people) {
  const numbers = people.map(({ msisdn }) => msisdn).join(',');
  const found = await total(
    url,
    `/api/contacts?q[metadata][province]=${FLOODED}&q[msisdn]=${encodeURIComponent(numbers)}`,
  );
  if (found !== people.length) {
    throw new Error(
      `${found} of ${people.length} people are registered in ${FLOODED}: is INBOUND_CALL_FLOW_LOGIC CallFlowLogic::Registration?`,
    );
  }
}

/** Creates a callout that runs itself, starts it, and waits until it is completed. @returns its id */
async function warn(url) {
  console.log(`The river rises in ${FLOODED}. One request says who is called, and how:\n\nPOST /api/callouts`);
  printFields(CALLOUT);
  const { id } = await send(url, 'POST', '/api/callouts', CALLOUT);
  console.log(`POST /api/callouts/${id}/callout_events`);
  printFields({ event: 'start' });
  console.log('');
  await send(url, 'POST', `/api/callouts/${id}/callout_events`, { event: 'start' });
  const participations = `/api/callouts/${id}/callout_participations`;
  await until(async () => {
    const { status, held_because } = await send(url, 'GET', `/api/callouts/${id}`);
    if (held_because) throw new Error(held_because);
    // In this order, since people are added meanwhile.
    const done = await total(url, `${participations}?q[outcome]=${Object.keys(OUTCOMES).join()}`);
    showProgress('done', done, await total(url, `${participations}?page=1`));
    return status === 'completed';
  });
  console.log('\n');
  return id;
}

/** Prints an object, a line for each field, and those of long fields below. */
function printFields(object, indent = '  ') {
  for (const [name, value] of Object.entries(object)) {
    const json = JSON.stringify(value);
    if (json.length <= 80) console.log(`${indent}${name.padEnd(26 - indent.length)}${json}`);
    else {
      console.log(indent + name);
      printFields(value, `${indent}  `);
    }
  }
}

/** Prints what came of the calls to each person, by the number of calls. */
async function printResults(url, id) {
  const participations = await list(url, `/api/callouts/${id}/callout_participations`);
  const attempts = Array.from({ length: MAX_ATTEMPTS }, (_, n) => n + 1);
  const row = (name, meaning, cells) =>
    console.log(`${name.padEnd(13)} ${meaning.padEnd(30)}${cells.map((cell) => String(cell).padStart(9)).join('')}`);
  row('outcome', '', [...attempts.map((n) => (n === 1 ? '1 call' : `${n} calls`)), 'people']);
  let sum = 0;
  for (const [outcome, meaning] of Object.entries(OUTCOMES)) {
    const people = participations.filter((one) => one.outcome === outcome);
    sum += people.length;
    if (people.length === 0) continue;
    row(outcome, meaning, [...attempts.map((n) => people.filter((one) => one.attempts === n).length), people.length]);
  }
  row('in all', '', [...attempts.map((n) => participations.filter((one) => one.attempts === n).length), sum]);
  if (sum !== participations.length) throw new Error(`The table does not add up to ${participations.length}`);
  const leftOut = await countLeftOut(url);
  if (leftOut < 1) throw new Error('One person asked for no more calls');
  console.log(`\nThe next callout to ${FLOODED} leaves out the people who opted out: ${leftOut} in this province.`);
}

async function countLeftOut(url) {
  const callout = await send(url, 'POST', '/api/callouts', {});
  const { id } = await send(url, 'POST', `/api/callouts/${callout.id}/batch_operations`, {
    type: 'BatchOperation::CalloutPopulation',
    parameters: { contact_filter_params: { metadata: { province: FLOODED } } },
  });
  return header(url, `/api/batch_operations/${id}/preview/contacts?per_page=1`, 'left-out');
}

/** Reads a list to its end. */
async function list(url, path) {
  const rows = [];
  for (let page; !page || page.length > 0; rows.push(...page)) {
    page = await send(url, 'GET', `${path}?per_page=1000&after_id=${rows.at(-1)?.id ?? 0}`);
  }
  return rows;
}

function total(url, path) {
  return header(url, `${path}&per_page=1`, 'total');
}

async function header(url, path, name) {
  const response = await fetch(url + path);
  await response.arrayBuffer();
  return Number(response.headers.get(name));
}

function showProgress(what, done, all) {
  const width = 40;
  if (all === 0) return;
  const bar = '#'.repeat(Math.round((done / all) * width)).padEnd(width, '.');
  const line = `${what.padEnd(10)} [${bar}] ${done} of ${all}`;
  if (line === shown) return;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}`);
  else if (done === all) process.stdout.write(line);
  shown = line;
}

async function startProgram() {
  install();
  build();
  const folder = mkdtempSync(join(tmpdir(), 'scfm-demo-'));
  const child = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      LOG_LEVEL: 'error',
      DATABASE_URL: `sqlite:${join(folder, 'demo.sqlite3')}`,
      PLATFORM_PROVIDER: 'simulator',
      CALLS_PER_SECOND: '100',
      INBOUND_CALL_FLOW_LOGIC: 'CallFlowLogic::Registration',
      SIMULATOR_SPEED: '40',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  const url = await until(() => {
    if (child.exitCode !== null) throw new Error(`The program exited during startup: ${output}`);
    return /^API\s+(http\S+)\/api$/m.exec(output)?.[1];
  });
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function send(url, method, path, body) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(url + path, { method, ...(body && { headers, body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function inParallel(concurrency, count, work) {
  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

async function until(check) {
  for (const deadline = Date.now() + TIMEOUT_MS; ; await pause(100)) {
    const result = await check();
    if (result) return result;
    if (Date.now() > deadline) throw new Error('Timed out');
  }
}

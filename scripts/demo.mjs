import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build, install, root } from './prepare.mjs';

// `npm run demo`: 200 people call in and register, the river rises in one province, and the people who live there are
// warned. The simulator places the calls, and the demo removes its data. `npm run demo -- http://127.0.0.1:3000` uses a
// running program, whose provider must be the simulator and whose INBOUND_CALL_FLOW_LOGIC must be
// CallFlowLogic::Registration.

const PEOPLE = 200;
const CALLERS_AT_ONCE = 50;
const TIMEOUT_MS = 300_000;
const PROVINCES = ['Battambang', 'Kampong Thom', 'Phnom Penh', 'Pursat', 'Siem Reap'];
const FLOODED = 'Pursat';
const SENDER = '2442';
const UNANSWERED = {
  busy: 'busy',
  not_answered: 'did not answer',
  failed: 'could not be reached',
  canceled: 'canceled',
  errored: 'refused by the provider',
};

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
  const callout = await warn(url, inDanger);
  await printResults(url, callout, inDanger.length);
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

/** Creates a callout to these people and waits until every call has ended. @returns the callout's id */
async function warn(url, people) {
  console.log(`The river rises in ${FLOODED}`);
  const callout = await send(url, 'POST', '/api/callouts', {
    call_flow_logic: 'CallFlowLogic::PlayMessage',
    metadata: { message: `The river is rising in ${FLOODED}. Please go to higher ground now.` },
  });
  await send(url, 'POST', `/api/callouts/${callout.id}/callout_events`, { event: 'start' });
  const run = async (type, parameters) => {
    const operation = await send(url, 'POST', `/api/callouts/${callout.id}/batch_operations`, {
      type: `BatchOperation::${type}`,
      parameters,
    });
    await send(url, 'POST', `/api/batch_operations/${operation.id}/batch_operation_events`, { event: 'queue' });
    const ended = await until(async () => {
      const shown = await send(url, 'GET', `/api/batch_operations/${operation.id}`);
      return ['finished', 'failed'].includes(shown.status) && shown;
    });
    if (ended.status !== 'finished') throw new Error(`${type} ${ended.status}: ${ended.error}`);
    console.log(`${type.padEnd(20)} ${ended.progress.processed} of ${ended.progress.total}`);
  };
  const msisdn = people.map((person) => person.msisdn).join(',');
  await run('CalloutPopulation', { contact_filter_params: { metadata: { province: FLOODED }, msisdn } });
  await run('PhoneCallCreate', { remote_request_params: { from: SENDER, machine_detection: 'Enable' } });
  await run('PhoneCallQueue', {});
  const ended = ['completed', ...Object.keys(UNANSWERED)].join(',');
  await until(async () => {
    const over = await total(url, `/api/callouts/${callout.id}/phone_calls?q[status]=${ended}`);
    showProgress('called', over, people.length);
    return over === people.length;
  });
  console.log('\n');
  return callout.id;
}

/** Prints how many people were reached, and why the others were not. */
async function printResults(url, calloutId, people) {
  const calls = await send(url, 'GET', `/api/callouts/${calloutId}/phone_calls?per_page=1000`);
  const participations = await send(url, 'GET', `/api/callouts/${calloutId}/callout_participations?per_page=1000`);
  const contacts = await send(url, 'GET', `/api/callouts/${calloutId}/contacts?per_page=1000`);
  const rows = new Map();
  for (const { status, metadata, callout_participation_id, contact_id } of calls) {
    const participation = participations.find(({ id }) => id === callout_participation_id);
    const contact = contacts.find(({ id }) => id === contact_id);
    const answered = [
      [participation.metadata.confirmed_at, 'confirmed'],
      [contact.metadata.do_not_call, 'want no more calls'],
      [metadata.answered_by === 'machine_start', 'a machine answered'],
      [true, 'heard it, did not confirm'],
    ].find(([holds]) => holds)[1];
    const words = UNANSWERED[status] ?? answered;
    rows.set(words, (rows.get(words) ?? 0) + 1);
  }
  let sum = 0;
  for (const [words, count] of [...rows].sort()) {
    sum += count;
    console.log(`${words.padEnd(28)} ${String(count).padStart(5)}`);
  }
  console.log(`${'in all'.padEnd(28)} ${String(sum).padStart(5)}`);
  if (sum !== people) throw new Error(`The table does not add up to ${people}`);
  if (rows.get('want no more calls') !== 1) throw new Error('One person asked for no more calls');
  console.log(
    `\nThe next callout to ${FLOODED} leaves out the people who opted out: ${await countLeftOut(url)} in this province.`,
  );
}

async function countLeftOut(url) {
  const callout = await send(url, 'POST', '/api/callouts', {});
  const { id } = await send(url, 'POST', `/api/callouts/${callout.id}/batch_operations`, {
    type: 'BatchOperation::CalloutPopulation',
    parameters: { contact_filter_params: { metadata: { province: FLOODED } } },
  });
  return header(url, `/api/batch_operations/${id}/preview/contacts?per_page=1`, 'left-out');
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
  const bar = '#'.repeat(Math.round((done / all) * width)).padEnd(width, '.');
  if (process.stdout.isTTY) process.stdout.write(`\r${what.padEnd(10)} [${bar}] ${done} of ${all}`);
  else if (done === all) process.stdout.write(`${what.padEnd(10)} [${bar}] ${done} of ${all}`);
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

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build, install, root } from './prepare.mjs';

// `npm run demo`: a village of 500 people is warned, with the simulator in the box; nobody is really called, and nothing is left behind.
// `npm run demo -- http://127.0.0.1:3000` does the same on a program that runs already.

const PEOPLE = 500;
const PATIENCE = 300_000;
const ENDED = ['completed', 'busy', 'not_answered', 'failed', 'canceled', 'errored'];
const WORDS = {
  completed: 'answered',
  busy: 'busy',
  not_answered: 'did not answer',
  failed: 'could not be reached',
  canceled: 'canceled',
  errored: 'refused by the provider',
};

const given = process.argv[2];
const program = given ? { url: given, stop: async () => {} } : await startProgram();
try {
  await warnTheVillage(program.url);
} finally {
  await program.stop();
}

async function warnTheVillage(url) {
  const tag = `village-${Date.now()}`;
  console.log(`A village of ${PEOPLE} people, at ${url}\n`);
  const first = Math.floor(Math.random() * 8_000);
  await inParallel(20, PEOPLE, (n) =>
    // No number ends in the digits that force an outcome (99xx).
    send(url, 'POST', '/api/contacts', {
      msisdn: `+85512${String(10_000 * (100 + (first % 700)) + n)}`,
      metadata: { village: tag },
    }),
  );
  const callout = await send(url, 'POST', '/api/callouts', { metadata: { purpose: 'flood warning' } });
  const run = async (type, parameters) => {
    const operation = await send(url, 'POST', `/api/callouts/${callout.id}/batch_operations`, { type, parameters });
    await send(url, 'POST', `/api/batch_operations/${operation.id}/batch_operation_events`, { event: 'queue' });
    const ended = await until(async () => {
      const shown = await send(url, 'GET', `/api/batch_operations/${operation.id}`);
      return ['finished', 'failed'].includes(shown.status) && shown;
    });
    if (ended.status !== 'finished') throw new Error(`${type} ${ended.status}: ${ended.error}`);
    console.log(`${type.padEnd(40)} ${ended.progress.processed} of ${ended.progress.total}`);
  };
  await run('BatchOperation::CalloutPopulation', { contact_filter_params: { metadata: { village: tag } } });
  await send(url, 'POST', `/api/callouts/${callout.id}/callout_events`, { event: 'start' });
  await run('BatchOperation::PhoneCallCreate', { remote_request_params: { from: '2442' } });
  await run('BatchOperation::PhoneCallQueue', {});
  console.log();
  const count = async (statuses) => {
    const response = await fetch(
      `${url}/api/callouts/${callout.id}/phone_calls?per_page=1&q[status]=${statuses.join(',')}`,
    );
    await response.arrayBuffer();
    return Number(response.headers.get('total'));
  };
  await until(async () => {
    const over = await count(ENDED);
    showProgress(over);
    return over === PEOPLE;
  });
  console.log('\n');
  let sum = 0;
  for (const status of ENDED) {
    const people = await count([status]);
    sum += people;
    if (people > 0) console.log(`${WORDS[status].padEnd(28)} ${String(people).padStart(5)}`);
  }
  console.log(`${'in all'.padEnd(28)} ${String(sum).padStart(5)}`);
  if (sum !== PEOPLE) throw new Error(`The table does not add up to ${PEOPLE}`);
}

function showProgress(over) {
  const width = 40;
  const bar = '#'.repeat(Math.round((over / PEOPLE) * width)).padEnd(width, '.');
  if (process.stdout.isTTY) process.stdout.write(`\rcalled  [${bar}] ${over} of ${PEOPLE}`);
  else if (over === PEOPLE) process.stdout.write(`called  [${bar}] ${over} of ${PEOPLE}`);
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
      SIMULATOR_SPEED: '20',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (data) => (said += data));
  const url = await until(() => {
    if (child.exitCode !== null) throw new Error(`The program ended at once: ${said}`);
    return /^API\s+(http\S+)\/api$/m.exec(said)?.[1];
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
  const content = body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url + path, { method, ...content });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

async function inParallel(lanes, count, work) {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

async function until(check) {
  for (const deadline = Date.now() + PATIENCE; ; await pause(100)) {
    const result = await check();
    if (result) return result;
    if (Date.now() > deadline) throw new Error('Waited in vain');
  }
}

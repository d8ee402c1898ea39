import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basicAuth } from './support/basic-auth.js';
import { Installation } from './support/installation.js';
import type { Program } from './support/program.js';

/** How often each request is sent, sequentially, to measure its cost. */
const TIMES = 300;
/** The most that an unauthenticated request may cost, in ordinary requests. The worst ones mostly read 64 KiB. */
const MAX_COST_RATIO = 15;
/** How many clients send requests while health checks are measured, and for how long (ms). */
const CLIENTS = 8;
const DURATION = 1_000;
const ROUNDS = 6;
/** How much longer the 99th percentile of health checks may take (ms). */
const MAX_EXTRA_DELAY = 100;

const SIGNATURE = `${'a'.repeat(27)}=`;
const credentials = { HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_AUTH_PASSWORD: 'password' };

let installation: Installation;
/** A program with a password, and one without: unknown paths of it are 404 for everyone. */
let guarded: Program;
let open: Program;

interface Attack {
  program: () => Program;
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
  status: number;
}

beforeAll(async () => {
  installation = await Installation.create();
  guarded = await installation.start(credentials);
  open = await installation.start();
  await open.api.createContacts({ msisdn: '+85510202101' });
});
afterAll(() => installation.remove());

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const json = { 'Content-Type': 'application/json' };
const signed = { 'X-Twilio-Signature': SIGNATURE };
const webhook = '/api/remote_phone_call_events';
/** As long as the head of a request can be. Its characters have different encodings in each URL that can be signed. */
const query = `?${Array.from({ length: 900 }, (_, n) => `a${n}='%27+%20`).join('&')}`;
const nested = '['.repeat(32_000) + ']'.repeat(32_000);
const digestOf = (body: string) => createHash('sha256').update(body).digest('hex');
const broken = Array.from({ length: 2_000 }, (_, n) => `${2_000 - n}%E9=${'%E9'.repeat(7)}`)
  .join('&')
  .slice(0, 65_536);

const attacks: Record<string, Attack> = {
  'an unsigned webhook of one name 32,700 times': {
    program: () => guarded,
    path: webhook,
    headers: form,
    body: 'a&'.repeat(32_700),
    status: 403,
  },
  'the same with a wrong signature': {
    program: () => guarded,
    path: webhook,
    headers: { ...form, ...signed },
    body: 'a&'.repeat(32_700),
    status: 400,
  },
  'a webhook of 2,000 names and values that are not UTF-8, with a wrong signature': {
    program: () => guarded,
    path: webhook,
    headers: { ...form, ...signed },
    body: broken,
    status: 403,
  },
  'one value of the greatest length, and a URL with many spellings, with a wrong signature': {
    program: () => guarded,
    path: `${webhook}${query}`,
    headers: { ...form, ...signed },
    body: `a=${'%E9'.repeat(21_000)}`,
    status: 403,
  },
  'a JSON webhook that is nested without end, with a wrong signature': {
    program: () => guarded,
    path: `${webhook}?bodySHA256=${digestOf(nested)}`,
    headers: { ...json, ...signed },
    body: nested,
    status: 403,
  },
  'a large body with the wrong password': {
    program: () => guarded,
    path: '/api/contacts',
    headers: { ...json, ...basicAuth('operator', 'wrong') },
    body: `{"metadata":${nested}}`,
    status: 401,
  },
  'a long list with the wrong password': {
    program: () => guarded,
    method: 'GET',
    path: `/api/contacts?${'q[metadata][a]=1&'.repeat(800)}`,
    headers: basicAuth('operator', 'x'.repeat(1_000)),
    status: 401,
  },
  'a large body to an unknown path': {
    program: () => open,
    path: '/api/nothing',
    headers: json,
    body: `{"metadata":${nested}}`,
    status: 404,
  },
  'an unknown path of the greatest length': {
    program: () => open,
    method: 'GET',
    path: `/api/contacts${'/.json'.repeat(2_500)}`,
    status: 404,
  },
  'the health with a long query': {
    program: () => guarded,
    method: 'GET',
    path: `/health/live?${Array.from({ length: 1_500 }, (_, n) => `a${n}=1`).join('&')}`,
    status: 422,
  },
  'whether the program is ready': {
    program: () => guarded,
    method: 'GET',
    path: '/health/ready',
    status: 200,
  },
};

const ordinary: Attack = { program: () => open, method: 'GET', path: '/api/contacts?per_page=25', status: 200 };

async function send({ program, method = 'POST', path, headers, body, status }: Attack): Promise<void> {
  const response = await fetch(program().url + path, { method, headers, body });
  await response.arrayBuffer();
  // After ten wrong credentials, the address gets 429.
  const isRefused = status === 401 && response.status === 429;
  if (response.status !== status && !isRefused) throw new Error(`${method} ${path.slice(0, 60)}: ${response.status}`);
}

/** @returns the CPU time that all threads of a process have used (ms). Source: proc(5); a tick is 10 ms. */
function cpuTime({ pid }: Program): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) (.*)/s);
  const [user, system] = fields.split(' ').slice(11, 13);
  return 10 * (Number(user) + Number(system));
}

/** @returns the CPU time of one request (ms) */
async function cost(attack: Attack): Promise<number> {
  for (let n = 0; n < TIMES / 10; n++) await send(attack);
  const before = cpuTime(attack.program());
  for (let n = 0; n < TIMES; n++) await send(attack);
  return (cpuTime(attack.program()) - before) / TIMES;
}

/** @returns the 99th percentile of the duration of `/health/live` while clients send requests (ms) */
async function healthDelayDuring(attack: Attack): Promise<number> {
  const end = performance.now() + DURATION;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (performance.now() < end) await send(attack);
  });
  const times: number[] = [];
  while (performance.now() < end) {
    const started = performance.now();
    await send({ program: attack.program, method: 'GET', path: '/health/live', status: 200 });
    times.push(performance.now() - started);
    await pause(5);
  }
  await Promise.all(clients);
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!;
}

/**
 * Other programs on the machine can only increase a duration, so the lowest of a few rounds counts. Stops as soon as
 * the difference is low enough.
 * @returns how much longer health checks take during an attack than during ordinary requests (ms)
 */
async function extraHealthDelay(attack: Attack): Promise<number> {
  let [lowest, lowestOrdinary] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS && (round === 0 || lowest - lowestOrdinary >= MAX_EXTRA_DELAY); round++) {
    lowestOrdinary = Math.min(lowestOrdinary, await healthDelayDuring(ordinary));
    lowest = Math.min(lowest, await healthDelayDuring(attack));
  }
  return lowest - lowestOrdinary;
}

describe('an unauthenticated request', () => {
  it.each(Object.entries(attacks))('has a bounded cost: %s', async (_, attack) => {
    expect((await cost(attack)) / (await cost(ordinary))).toBeLessThan(MAX_COST_RATIO);
    expect(await extraHealthDelay(attack)).toBeLessThan(MAX_EXTRA_DELAY);
  });
});

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

// A private PostgreSQL and a private Redis on free ports, in a folder that is gone afterwards.

/**
 * Brings both servers up: those that TEST_DATABASE_URL and TEST_REDIS_URL name, else this machine's programs, else Debian's packages.
 * Ends the process with a sentence that says what is missing when there is no way.
 */
export async function bringUpServers() {
  const databaseUrl = process.env.TEST_DATABASE_URL;
  const redisUrl = process.env.TEST_REDIS_URL;
  const programs = {
    ...(databaseUrl ? {} : { initdb: 'postgresql', postgres: 'postgresql' }),
    ...(redisUrl ? {} : { 'redis-server': 'redis-server' }),
  };
  const found = findPrograms(programs);
  const folder = mkdtempSync(join(tmpdir(), 'scfm-test-'));
  const stops = [];
  const takeDown = async () => {
    for (const stop of stops.splice(0)) await stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return {
      databaseUrl: databaseUrl ?? (await startPostgres(found, folder, stops)),
      redisUrl: redisUrl ?? (await startRedis(found, folder, stops)),
      takeDown,
    };
  } catch (error) {
    await takeDown();
    console.error(`The test servers did not start: ${error.message}`);
    process.exit(1);
  }
}

function findPrograms(programs) {
  const missing = () => Object.keys(programs).filter((name) => !find(name));
  if (missing().length > 0 && process.getuid?.() === 0 && find('apt-get')) {
    const packages = [...new Set(missing().map((name) => programs[name]))];
    console.log(`Installing ${packages.join(' and ')} for the tests.`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    try {
      execFileSync('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
      execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    } catch {
      // What is still missing is said below.
    }
  }
  if (missing().length > 0) {
    console.error(
      `The tests need ${missing().join(' and ')}, which ${missing().length > 1 ? 'are' : 'is'} not on this machine and could not be ` +
        'installed. Install PostgreSQL and Redis, or set TEST_DATABASE_URL and TEST_REDIS_URL.',
    );
    process.exit(1);
  }
  return Object.fromEntries(Object.keys(programs).map((name) => [name, find(name)]));
}

function find(name) {
  const versions = '/usr/lib/postgresql';
  const debian = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, 'bin'))
    : [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...debian,
    '/usr/sbin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

async function startPostgres({ initdb, postgres }, folder, stops) {
  const user = unprivilegedUser();
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'postgres');
  execFileSync(initdb, ['-D', data, '-U', 'scfm', '--auth=trust', '--encoding=UTF8', '--locale=C'], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300,
    fsync: 'off',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  await start(postgres, ['-D', data, ...options], { ...user, cwd: folder }, port, 'SIGINT', stops);
  return `postgres://scfm@127.0.0.1:${port}/postgres`;
}

async function startRedis({ 'redis-server': redis }, folder, stops) {
  const port = await freePort();
  const options = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder].map(
    String,
  );
  await start(redis, options, { cwd: folder }, port, 'SIGTERM', stops);
  return `redis://127.0.0.1:${port}`;
}

/** PostgreSQL refuses to run as root: there, the account that its package makes, or one that owns nothing. */
function unprivilegedUser() {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const account = ['postgres', 'nobody'].map((name) => accounts.find(([one]) => one === name)).find(Boolean);
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

async function start(program, args, options, port, signal, stops) {
  let said = '';
  const server = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (data) => (said = (said + data).slice(-2_000)));
  stops.push(async () => {
    if (server.exitCode !== null) return;
    server.kill(signal);
    await once(server, 'exit');
  });
  for (const deadline = Date.now() + 30_000; !(await answers(port)); await pause(50)) {
    if (server.exitCode !== null || Date.now() > deadline) throw new Error(`${program} is not there: ${said}`);
  }
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

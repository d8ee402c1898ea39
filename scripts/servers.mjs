import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
  const programs = findPrograms({
    ...postgresClientPrograms,
    ...(databaseUrl ? {} : postgresPrograms),
    ...(redisUrl ? {} : redisPrograms),
  });
  const folder = mkdtempSync(join(tmpdir(), 'scfm-test-'));
  const servers = [];
  const started = async (server) => {
    servers.push(server);
    await server.start();
    return server.url;
  };
  const takeDown = async () => {
    for (const server of servers.splice(0)) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return {
      databaseUrl: databaseUrl ?? (await started(await preparePostgres(programs, folder))),
      redisUrl: redisUrl ?? (await started(await prepareRedis(programs, folder))),
      takeDown,
    };
  } catch (error) {
    await takeDown();
    console.error(`The test servers did not start: ${error.message}`);
    process.exit(1);
  }
}

/** A server of ours with its data, on a port of its own: it can be stopped, started again, and signalled. */
export class Server {
  said = '';

  /** @param stopSignal the one that ends it in good order */
  constructor(program, args, options, { port, url, stopSignal }) {
    Object.assign(this, { program, args, options, port, url, stopSignal });
  }

  /** Starts it, unless it runs, and waits until it answers. */
  async start() {
    if (!this.runs) {
      this.child = spawn(this.program, this.args, { ...this.options, stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [this.child.stdout, this.child.stderr])
        stream.on('data', (data) => (this.said = (this.said + data).slice(-2_000)));
    }
    for (const deadline = Date.now() + 30_000; !(await answers(this.port)); await pause(50)) {
      if (!this.runs || Date.now() > deadline) throw new Error(`${this.program} is not there: ${this.said}`);
    }
  }

  /** Ends it by a signal, and waits until it has ended. */
  async stop(signal = this.stopSignal) {
    if (!this.runs) return;
    this.child.kill(signal);
    await once(this.child, 'exit');
  }

  /** Sends a signal that does not end it. */
  signal(signal) {
    this.child.kill(signal);
  }

  get runs() {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }
}

/** The programs of the servers, and Debian's packages that hold them. */
export const postgresPrograms = { initdb: 'postgresql', postgres: 'postgresql' };
export const postgresClientPrograms = { pg_dump: 'postgresql-client', pg_restore: 'postgresql-client' };
export const redisPrograms = { 'redis-server': 'redis-server' };

/**
 * Where programs are on this machine, by their names. Those that are missing are installed where that can be done; else the process ends
 * with a sentence that says so.
 * @param programs for each name, Debian's package
 */
export function findPrograms(programs) {
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

/**
 * A PostgreSQL with an empty database in `folder`, to be started.
 * @param environment more of it for the server
 * @param password of its user; without one, everybody on this machine is let in
 * @param settings more of PostgreSQL's own, by their names; it is given the files that `files` names
 */
export async function preparePostgres(
  { initdb, postgres },
  folder,
  { environment = {}, password, settings = {}, files = [] } = {},
) {
  const user = unprivilegedUser();
  const give = (path) => user.uid !== undefined && chownSync(path, user.uid, user.gid);
  for (const path of [folder, ...files]) give(path);
  const data = join(folder, 'postgres');
  const passwordFile = join(folder, 'password');
  if (password !== undefined) {
    writeFileSync(passwordFile, password, { mode: 0o600 });
    give(passwordFile);
  }
  const authentication =
    password === undefined ? ['--auth=trust'] : ['--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  execFileSync(initdb, ['-D', data, '-U', 'scfm', ...authentication, '--encoding=UTF8', '--locale=C'], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const port = await freePort();
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300,
    fsync: 'off',
    ...settings,
  };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const credentials = password === undefined ? 'scfm' : `scfm:${encodeURIComponent(password)}`;
  const url = `postgres://${credentials}@127.0.0.1:${port}/postgres`;
  const env = { ...process.env, ...environment };
  return new Server(
    postgres,
    ['-D', data, ...options],
    { ...user, cwd: folder, env },
    { port, url, stopSignal: 'SIGINT' },
  );
}

/**
 * An empty Redis that keeps nothing on disk, to be started.
 * @param settings more of Redis's own, by their names; with `tls: true` its port is encrypted
 */
export async function prepareRedis({ 'redis-server': redis }, folder, { tls = false, ...settings } = {}) {
  const port = await freePort();
  const ports = tls ? { port: 0, 'tls-port': port } : { port };
  const all = { ...ports, bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder, ...settings };
  const options = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const url = `redis://127.0.0.1:${port}`;
  return new Server(redis, options, { cwd: folder }, { port, url, stopSignal: 'SIGTERM' });
}

/** PostgreSQL refuses to run as root: there, the account that its package makes, or one that owns nothing. */
export function unprivilegedUser() {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const account = ['postgres', 'nobody'].map((name) => accounts.find(([one]) => one === name)).find(Boolean);
  return { uid: Number(account[2]), gid: Number(account[3]) };
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

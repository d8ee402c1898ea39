import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findPrograms, postgresClientPrograms, postgresPrograms, redisPrograms } from './programs.mjs';

// A private PostgreSQL and a private Redis on free ports, in a temporary folder.

/**
 * Starts a PostgreSQL and a Redis, unless TEST_DATABASE_URL and TEST_REDIS_URL name running ones. Uses the programs of
 * this machine, and installs missing ones from Debian if possible. Otherwise exits with a message.
 *
 * @returns `databaseUrl`, `redisUrl`, and `stop`, which stops both servers and removes their data
 */
export async function startServers() {
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
  const stop = async () => {
    for (const server of servers.splice(0)) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return {
      databaseUrl: databaseUrl ?? (await started(await preparePostgres(programs, folder))),
      redisUrl: redisUrl ?? (await started(await prepareRedis(programs, folder))),
      stop,
    };
  } catch (error) {
    await stop();
    console.error(`The test servers did not start: ${error.message}`);
    process.exit(1);
  }
}

/** A private server with its own data, on a free port. It can be stopped, restarted, and sent signals. */
export class Server {
  output = '';

  /** @param stopSignal the signal that shuts it down cleanly */
  constructor(program, args, options, { port, url, stopSignal }) {
    Object.assign(this, { program, args, options, port, url, stopSignal });
  }

  /** Starts the server, unless it runs, and waits until it accepts connections. */
  async start() {
    if (!this.runs) {
      this.child = spawn(this.program, this.args, { ...this.options, stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [this.child.stdout, this.child.stderr])
        stream.on('data', (data) => (this.output = (this.output + data).slice(-2_000)));
    }
    for (const deadline = Date.now() + 30_000; !(await acceptsConnections(this.port)); await pause(50)) {
      if (!this.runs || Date.now() > deadline) throw new Error(`${this.program} did not start: ${this.output}`);
    }
  }

  /** Stops the server by a signal, and waits for its exit. */
  async stop(signal = this.stopSignal) {
    if (!this.runs) return;
    this.child.kill(signal);
    await once(this.child, 'exit');
  }

  /** Sends a signal without waiting for its effect. */
  signal(signal) {
    this.child.kill(signal);
  }

  get runs() {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }
}

/**
 * Creates a PostgreSQL with an empty database in `folder`, without starting it.
 *
 * @param options.environment further environment variables of the server
 * @param options.password the password of its user; without one, every local connection is trusted
 * @param options.settings further settings of PostgreSQL, by name
 * @param options.files files whose ownership is given to the server's user
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
 * Creates an empty Redis without persistence, without starting it.
 *
 * @param settings further settings of Redis, by name; `tls: true` makes its port use TLS
 */
export async function prepareRedis({ 'redis-server': redis }, folder, { tls = false, ...settings } = {}) {
  const port = await freePort();
  const ports = tls ? { port: 0, 'tls-port': port } : { port };
  const all = { ...ports, bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder, ...settings };
  const options = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const url = `redis://127.0.0.1:${port}`;
  return new Server(redis, options, { cwd: folder }, { port, url, stopSignal: 'SIGTERM' });
}

/**
 * PostgreSQL refuses to run as root. Root starts it as the user `postgres`, or else `nobody`.
 *
 * @returns the user and group that PostgreSQL runs as; empty when they are those of this process
 */
export function unprivilegedUser() {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const account = ['postgres', 'nobody'].map((name) => accounts.find(([one]) => one === name)).find(Boolean);
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

function acceptsConnections(port) {
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

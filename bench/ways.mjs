import { Redis } from 'ioredis';
import { root } from '../scripts/prepare.mjs';
import { startChild } from './child-process.mjs';
import { Postgres } from './databases/postgres.mjs';
import { Sqlite } from './databases/sqlite.mjs';
import { watchMemory } from './memory.mjs';
import { Program, migrate } from './program.mjs';

/** One process with a SQLite file and an in-process queue, as `npm start` runs it. */
export class Embedded {
  name = 'embedded';

  constructor(folder, environment) {
    this.folder = folder;
    this.environment = environment;
  }

  async createDatabase() {
    return migrated(this.folder, new Sqlite(this.folder));
  }

  /** Starts the program on a database. @param more further settings */
  async start(database, more = {}) {
    const environment = { ...this.environment, ...database.environment, PORT: '0', ...more };
    return new Running([await Program.start(this.folder, environment)]);
  }

  /** Starts the program on a database. It advances a callout when the bench says so, and does no other work. */
  async startRunner(database) {
    const environment = { ...this.environment, ...database.environment, ...RUNNER };
    return Runner.start(this.folder, environment);
  }
}

/** A web process and a worker process, on PostgreSQL, with Bull on Redis. */
export class Cluster {
  name = 'cluster';

  constructor(folder, environment, { databaseUrl, redisUrl }) {
    this.folder = folder;
    this.environment = environment;
    this.databaseUrl = databaseUrl;
    this.redisUrl = redisUrl;
  }

  async createDatabase() {
    return migrated(this.folder, await Postgres.create(this.databaseUrl));
  }

  /** Starts the program on a database and an empty Redis. @param more further settings */
  async start(database, more = {}) {
    await this.emptyRedis();
    const shared = { ...this.environment, ...database.environment, REDIS_URL: this.redisUrl, PORT: '0', ...more };
    const web = await Program.start(this.folder, { ...shared, SCFM_ROLE: 'web' });
    return new Running([web, await Program.start(this.folder, { ...shared, SCFM_ROLE: 'worker' })]);
  }

  /** As on {@link Embedded}. A web process serves the API. */
  async startRunner(database) {
    await this.emptyRedis();
    const shared = { ...this.environment, ...database.environment, REDIS_URL: this.redisUrl, PORT: '0', ...RUNNER };
    const web = await Program.start(this.folder, { ...shared, SCFM_ROLE: 'web' });
    return Runner.start(this.folder, { ...shared, SCFM_ROLE: 'worker' }, web);
  }

  async emptyRedis() {
    const redis = new Redis(this.redisUrl);
    await redis.flushdb();
    redis.disconnect();
  }
}

/** The settings of a program that advances callouts when the bench says so. As many attempts as possible wait. */
const RUNNER = { CALLS_PER_SECOND: '10000', LOG_LEVEL: 'error' };

/** A process that advances a callout when the bench says so. */
class Runner {
  /** @param web the process that serves the API, unless the runner does */
  static async start(folder, environment, web) {
    return new Runner(await startChild('callout-runner', { root, folder, environment }), web);
  }

  constructor(child, web) {
    this.child = child;
    this.web = web;
  }

  get url() {
    return this.web?.url ?? this.child.answer.url;
  }

  watchMemory() {
    return watchMemory([this.child.pid, ...(this.web ? [this.web.pid] : [])]);
  }

  /** Makes attempts until no more can be made at once. @returns how long it took (s) */
  advance() {
    return this.child.ask('advance');
  }

  async stop() {
    await this.child.stop();
    await this.web?.stop();
  }
}

/** The processes of an installation. The first one serves the API. */
export class Running {
  constructor(programs) {
    this.programs = programs;
  }

  get url() {
    return this.programs[0].url;
  }

  watchMemory() {
    return watchMemory(this.programs.map(({ pid }) => pid));
  }

  /** Sends a request to the API. @returns the parsed body @throws Error when the status is not 2xx */
  async send(method, path, body) {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(this.url + path, { method, ...(body && { headers, body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async stop() {
    await Promise.all(this.programs.map((program) => program.stop()));
  }
}

async function migrated(folder, database) {
  await migrate(folder, database.environment);
  return database;
}

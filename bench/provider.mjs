import { createServer } from 'node:http';
import { once } from 'node:events';
import { Sqlite } from './databases/sqlite.mjs';
import { Program } from './program.mjs';

const SID = `AC${'0'.repeat(32)}`;
const TOKEN = 'the token of a provider in the bench';

/** A provider: a second program of which only the simulator is used. Its calls take as long as real ones. */
export class Provider {
  static async start(folder) {
    const database = new Sqlite(folder);
    const environment = {
      ...database.environment,
      PORT: '0',
      LOG_LEVEL: 'error',
      SIMULATOR_SPEED: '1',
      SIMULATOR_AUTH_TOKEN: TOKEN,
      SIMULATOR_ALLOWED_ORIGINS: 'http://127.0.0.1:*',
    };
    return new Provider(database, await Program.start(folder, environment));
  }

  constructor(database, program) {
    this.database = database;
    this.program = program;
  }

  get authorization() {
    return `Basic ${btoa(`${SID}:${TOKEN}`)}`;
  }

  /** The URL that creates calls. */
  get callsUrl() {
    return `${this.program.url}/simulator/2010-04-01/Accounts/${SID}/Calls.json`;
  }

  /** The settings of a program that uses this provider by the Somleng API. */
  get environment() {
    return {
      PLATFORM_PROVIDER: 'somleng',
      SOMLENG_ACCOUNT_SID: SID,
      SOMLENG_AUTH_TOKEN: TOKEN,
      SOMLENG_CLIENT_REST_API_BASE_URL: `${this.program.url}/simulator`,
      // Required but unused: the measured calls carry their TwiML and the URL of their callbacks.
      PUBLIC_URL: this.program.url,
    };
  }

  /** @returns the number of calls that it has accepted */
  async acceptedCalls() {
    const response = await fetch(`${this.program.url}/simulator/statistics`);
    return (await response.json()).created;
  }

  async stop() {
    await this.program.stop();
    await this.database.drop();
  }
}

/** Starts a server that discards the status callbacks of dialed calls, which are not measured. */
export async function startSink() {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(204).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

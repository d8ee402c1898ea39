import { createServer } from 'node:http';
import { once } from 'node:events';
import { Sqlite } from './databases/sqlite.mjs';
import { Program } from './program.mjs';

const SID = `AC${'0'.repeat(32)}`;
const TOKEN = 'the token of a provider in the bench';

/** A program of which only the simulator is used: a provider in a process of its own. Its people act as slowly as in life. */
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

  /** Where calls are asked for. */
  get callsUrl() {
    return `${this.program.url}/simulator/2010-04-01/Accounts/${SID}/Calls.json`;
  }

  /** What makes a program dial here, as it would Somleng. */
  get environment() {
    return {
      PLATFORM_PROVIDER: 'somleng',
      SOMLENG_ACCOUNT_SID: SID,
      SOMLENG_AUTH_TOKEN: TOKEN,
      SOMLENG_CLIENT_REST_API_BASE_URL: `${this.program.url}/simulator`,
      // It must be set, but the calls that are measured bring their document and the address of their callbacks.
      PUBLIC_URL: this.program.url,
    };
  }

  /** How many calls it took. */
  async taken() {
    const response = await fetch(`${this.program.url}/simulator/statistics`);
    return (await response.json()).created;
  }

  async stop() {
    await this.program.stop();
    await this.database.drop();
  }
}

/** Takes whatever it is sent: the status callbacks of calls that are dialled are no part of what is measured. */
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

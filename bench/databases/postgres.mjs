import pg from 'pg';

const WHOLE = 20;
pg.types.setTypeParser(WHOLE, Number);

let made = 0;

/** A database of the private PostgreSQL. */
export class Postgres {
  dialect = 'postgres';

  constructor(server, name) {
    this.server = server;
    this.url = Object.assign(new URL(server), { pathname: name }).href;
    this.name = name;
  }

  /** A new and empty one. */
  static async create(server) {
    return new Postgres(server, await createDatabase(server));
  }

  get environment() {
    return { DATABASE_URL: this.url };
  }

  /** What the bare server opens. */
  get address() {
    return { dialect: this.dialect, url: this.url };
  }

  /** Another one that holds the same; nobody may be connected to this one. */
  async copy() {
    await this.close();
    return new Postgres(this.server, await createDatabase(this.server, `TEMPLATE ${this.name} STRATEGY file_copy`));
  }

  async rows(statement, parameters = []) {
    this.client ??= await connect(this.url);
    return (await this.client.query(statement, parameters)).rows;
  }

  /** Brings the planner's statistics up to date, and writes everything out: what is measured next begins from rest. */
  async settle() {
    await this.rows('VACUUM ANALYZE');
    await this.rows('CHECKPOINT');
  }

  async close() {
    await this.client?.end();
    this.client = undefined;
  }

  async drop() {
    await this.close();
    await onServer(this.server, `DROP DATABASE ${this.name} WITH (FORCE)`);
  }
}

async function createDatabase(server, how = '') {
  const name = `bench_${process.pid}_${++made}`;
  await onServer(server, `CREATE DATABASE ${name} ${how}`);
  return name;
}

async function onServer(server, statement) {
  const client = await connect(server);
  await client.query(statement);
  await client.end();
}

async function connect(url) {
  const client = new pg.Client({ connectionString: url });
  // A database that is dropped ends its connections.
  client.on('error', () => {});
  await client.connect();
  return client;
}

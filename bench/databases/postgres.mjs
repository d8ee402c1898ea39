import pg from 'pg';

pg.types.setTypeParser(pg.types.builtins.INT8, Number);

let made = 0;

/** A database on the private PostgreSQL. */
export class Postgres {
  dialect = 'postgres';

  constructor(server, name) {
    this.server = server;
    this.url = Object.assign(new URL(server), { pathname: name }).href;
    this.name = name;
  }

  /** Creates an empty database. */
  static async create(server) {
    return new Postgres(server, await createDatabase(server));
  }

  get environment() {
    return { DATABASE_URL: this.url };
  }

  /** The address for the bare server. */
  get address() {
    return { dialect: this.dialect, url: this.url };
  }

  /** Creates a copy. No other client may be connected to this database. */
  async copy() {
    await this.close();
    return new Postgres(this.server, await createDatabase(this.server, `TEMPLATE ${this.name} STRATEGY file_copy`));
  }

  async rows(statement, parameters = []) {
    this.client ??= await connect(this.url);
    return (await this.client.query(statement, parameters)).rows;
  }

  /** Runs statements in one transaction. */
  async inTransaction(statements) {
    for (const statement of ['BEGIN', ...statements, 'COMMIT']) await this.rows(statement);
  }

  /** Updates the planner's statistics and flushes all writes, so that the next measure starts without a backlog. */
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
  // Dropping a database terminates its connections.
  client.on('error', () => {});
  await client.connect();
  return client;
}

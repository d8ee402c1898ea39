import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';

let made = 0;

/** A SQLite file, opened with the program's settings. */
export class Sqlite {
  dialect = 'sqlite';

  constructor(folder) {
    this.folder = folder;
    this.path = join(folder, `bench-${++made}.sqlite3`);
  }

  get environment() {
    return { DATABASE_URL: `sqlite:${this.path}` };
  }

  /** The address for the bare server. */
  get address() {
    return { dialect: this.dialect, path: this.path };
  }

  /** Creates a copy. No other process may have this file open. */
  async copy() {
    if (!this.connection) await this.rows('SELECT 1');
    await this.rows('PRAGMA wal_checkpoint(TRUNCATE)');
    await this.close();
    const other = new Sqlite(this.folder);
    copyFileSync(this.path, other.path);
    return other;
  }

  async rows(statement, parameters = []) {
    this.connection ??= await openSqlite(this.path);
    return all(this.connection, statement, parameters);
  }

  /** Runs statements in one transaction. */
  async inTransaction(statements) {
    for (const statement of ['BEGIN', ...statements, 'COMMIT']) await this.rows(statement);
  }

  /** Flushes all writes, so that the next measure starts without a backlog. */
  async settle() {
    await this.rows('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  async close() {
    const { connection } = this;
    this.connection = undefined;
    if (connection)
      await new Promise((resolve, reject) => connection.close((error) => (error ? reject(error) : resolve())));
  }

  async drop() {
    await this.close();
    for (const suffix of ['', '-wal', '-shm', '-migration-lock']) rmSync(this.path + suffix, { force: true });
  }
}

/** Opens a SQLite file with the program's settings. */
export async function openSqlite(path) {
  const connection = await new Promise((resolve, reject) => {
    const opened = new sqlite3.Database(path, (error) => (error ? reject(error) : resolve(opened)));
  });
  for (const setting of ['journal_mode = WAL', 'busy_timeout = 10000', 'foreign_keys = ON', 'synchronous = NORMAL']) {
    await all(connection, `PRAGMA ${setting}`, []);
  }
  return connection;
}

function all(connection, statement, parameters) {
  return new Promise((resolve, reject) => {
    connection.all(statement, parameters, (error, rows) => (error ? reject(error) : resolve(rows)));
  });
}

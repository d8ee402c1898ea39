import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sql, { raw } from 'sql-template-tag';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClosableDataSource } from '../src/database/open-database.js';
import { SqliteWriter } from '../src/database/sqlite-writer.js';
import type { Transaction } from '../src/database/transaction.js';
import { BackgroundUnitOfWork, UnitOfWork } from '../src/database/unit-of-work.js';

// On SQLite, where all writes of a process share one connection.

let folder: string;
let dataSource: DataSource;
let unitOfWork: UnitOfWork;
let background: BackgroundUnitOfWork;
let exits: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'scfm-'));
  dataSource = await new ClosableDataSource({ type: 'sqlite', database: join(folder, 'a.sqlite3') }).initialize();
  await dataSource.query('CREATE TABLE notes (text TEXT)');
  exits = 0;
  const writer = new SqliteWriter(dataSource, () => exits++);
  unitOfWork = new UnitOfWork(writer);
  background = new BackgroundUnitOfWork(writer);
});
afterEach(async () => {
  if (dataSource.isInitialized) await dataSource.destroy();
  rmSync(folder, { recursive: true });
});

const write = (transaction: Transaction, text: string) => transaction.execute(sql`INSERT INTO notes VALUES (${text})`);
const writeAlone = (text: string) => unitOfWork.query(sql`INSERT INTO notes VALUES (${text}) RETURNING text`);
const notes = async () => (await dataSource.query('SELECT text FROM notes')).map(({ text }: { text: string }) => text);

type Done = (error: Error | null, rows?: unknown[]) => void;

/** Records the statements on the current connection of the driver. Those for which `fails` is true fail. */
function watch(fails: (statement: string) => boolean = () => false): string[] {
  const { databaseConnection: driver } = dataSource.driver as unknown as {
    databaseConnection: { prepare(text: string, done: Done): { all(values: unknown[], done: Done): void } };
  };
  const seen: string[] = [];
  const prepare = driver.prepare.bind(driver);
  driver.prepare = (text, done) => {
    const prepared = prepare(text, done);
    const all = prepared.all.bind(prepared);
    prepared.all = (values, finished) => {
      seen.push(text);
      if (fails(text)) finished(Object.assign(new Error(`${text}: disk I/O error`), { code: 'SQLITE_IOERR' }));
      else all(values, finished);
    };
    return prepared;
  };
  return seen;
}

it('keeps the writes of one transaction when a concurrent one is rolled back', async () => {
  const undone = unitOfWork.run(async (transaction) => {
    await write(transaction, 'undone');
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('changed my mind');
  });
  const kept = Array.from({ length: 20 }, (_, n) => unitOfWork.run((transaction) => write(transaction, `kept ${n}`)));
  await expect(undone).rejects.toThrow('changed my mind');
  await Promise.all(kept);
  expect(await notes()).toEqual(Array.from({ length: 20 }, (_, n) => `kept ${n}`));
});

it.each([
  ['fails halfway', 'INSERT INTO nowhere VALUES (1)', 'nowhere'],
  ['SQLite has rolled back by itself', 'INSERT INTO strict VALUES (1), (1)', 'UNIQUE constraint failed'],
])('rolls back a transaction that %s, throws its error, and runs the next one', async (_, statement, reason) => {
  await dataSource.query('CREATE TABLE strict (n INTEGER UNIQUE ON CONFLICT ROLLBACK)');
  const failing = unitOfWork.run(async (transaction) => {
    await write(transaction, 'half');
    await transaction.execute(raw(statement));
  });
  await expect(failing).rejects.toThrow(reason);
  await unitOfWork.run((transaction) => write(transaction, 'after'));
  expect(await notes()).toEqual(['after']);
});

it('loses no update of concurrent transactions', async () => {
  await dataSource.query('CREATE TABLE counter (n INTEGER)');
  await dataSource.query('INSERT INTO counter VALUES (0)');
  const count = () =>
    unitOfWork.run(async (transaction) => {
      const [row] = await transaction.query<{ n: number }>(sql`SELECT n FROM counter`);
      await transaction.execute(sql`UPDATE counter SET n = ${row!.n + 1}`);
    });
  await Promise.all(Array.from({ length: 50 }, count));
  expect(await dataSource.query('SELECT n FROM counter')).toEqual([{ n: 50 }]);
});

it('alternates between API clients and background work, however many of one wait', async () => {
  const order: string[] = [];
  const note = (text: string) => async () => void order.push(text);
  await Promise.all([
    ...Array.from({ length: 3 }, (_, n) => unitOfWork.run(note(`api ${n}`))),
    ...Array.from({ length: 2 }, (_, n) => background.run(note(`work ${n}`))),
  ]);
  expect(order).toEqual(['work 0', 'api 0', 'work 1', 'api 1', 'api 2']);
});

describe('single statements that wait at the same time', () => {
  const texts = Array.from({ length: 20 }, (_, n) => `note ${n}`);

  it('share one transaction', async () => {
    const seen = watch();
    expect(await Promise.all(texts.map(writeAlone))).toEqual(texts.map((text) => [{ text }]));
    expect(seen.filter((statement) => statement === 'COMMIT')).toHaveLength(1);
    expect(await notes()).toEqual(texts);
  });

  it('are all kept when they are too many for one transaction', async () => {
    const many = Array.from({ length: 1_234 }, (_, n) => `note ${n}`);
    const seen = watch();
    await Promise.all(many.map(writeAlone));
    expect(await notes()).toEqual(many);
    expect(seen.filter((statement) => statement === 'COMMIT').length).toBeLessThan(10);
  });

  it('fail individually', async () => {
    await dataSource.query('CREATE UNIQUE INDEX notes_text_key ON notes (text)');
    const outcomes = await Promise.allSettled(['a', 'b', 'a', 'c'].map(writeAlone));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(String((outcomes[2] as PromiseRejectedResult).reason)).toContain('UNIQUE constraint failed: notes.text');
    expect(await notes()).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['the commit', (statement: string) => statement === 'COMMIT'],
    ['one of them, which ends the transaction,', (statement: string) => statement.startsWith('INSERT')],
  ])('all fail, and none is kept, when %s fails', async (_, fails) => {
    let isBroken = true;
    watch((statement) => isBroken && fails(statement));
    const outcomes = await Promise.allSettled(texts.map(writeAlone));
    expect(outcomes.map(({ status }) => status)).toEqual(texts.map(() => 'rejected'));
    isBroken = false;
    await writeAlone('after');
    expect(await notes()).toEqual(['after']);
  });

  it('are not acknowledged before they are committed', async () => {
    const seen = watch();
    await Promise.all(['a', 'b'].map((text) => writeAlone(text).then(() => seen.push(`${text} acknowledged`))));
    const committed = seen.indexOf('COMMIT');
    expect(committed).toBeGreaterThan(0);
    expect(seen.slice(committed + 1)).toEqual(['a acknowledged', 'b acknowledged']);
  });
});

describe('shared work that waits at the same time', () => {
  const share = (text: string, then: () => void = () => undefined) =>
    background.runShared(async (transaction) => {
      await write(transaction, text);
      then();
      return text;
    });

  it('shares one transaction, and is not acknowledged before it is committed', async () => {
    const seen = watch();
    const texts = ['a', 'b', 'c'];
    const acknowledged = texts.map((text) => share(text).then(() => seen.push(`${text} acknowledged`)));
    await Promise.all(acknowledged);
    expect(seen.filter((statement) => statement === 'COMMIT')).toHaveLength(1);
    expect(seen.slice(-4)).toEqual(['COMMIT', 'a acknowledged', 'b acknowledged', 'c acknowledged']);
    expect(await notes()).toEqual(texts);
  });

  it('runs again, each alone, when one of it fails', async () => {
    const fail = () => {
      throw new Error('changed my mind');
    };
    const outcomes = await Promise.allSettled([share('a'), share('b', fail), share('c')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(String((outcomes[1] as PromiseRejectedResult).reason)).toContain('changed my mind');
    expect(await notes()).toEqual(['a', 'c']);
  });

  it('fails when no transaction can begin', async () => {
    watch((statement) => statement === 'BEGIN IMMEDIATE');
    const outcomes = await Promise.allSettled([share('a'), share('b')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await notes()).toEqual([]);
  });

  it('joins the transaction of the run around it', async () => {
    await expect(
      background.run(async () => {
        await share('a');
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await notes()).toEqual([]);
  });
});

describe('a rollback that fails', () => {
  const failing = () =>
    unitOfWork.run(async (transaction) => {
      await write(transaction, 'undone');
      throw new Error('changed my mind');
    });

  it('reopens the file, and the next transactions succeed', async () => {
    watch((statement) => statement === 'ROLLBACK');
    const outcomes = [
      failing(),
      ...['a', 'b'].map((text) => unitOfWork.run((transaction) => write(transaction, text))),
    ];
    expect((await Promise.allSettled(outcomes)).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await notes()).toEqual(['a', 'b']);
    expect(await dataSource.query('PRAGMA synchronous')).toEqual([{ synchronous: 2 }]);
    expect(exits).toBe(0);
  });

  it('ends the program when the file cannot be reopened', async () => {
    watch((statement) => statement === 'ROLLBACK');
    dataSource.initialize = () => Promise.reject(new Error('unable to open database file'));
    await expect(failing()).rejects.toThrow('changed my mind');
    expect(exits).toBe(1);
  });
});

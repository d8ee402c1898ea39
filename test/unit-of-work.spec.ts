import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource, EntityManager } from 'typeorm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ClosableDataSource } from '../src/database/open-database.js';
import { UnitOfWork } from '../src/database/unit-of-work.js';

// SQLite, where all queries of a process share one connection.

let folder: string;
let dataSource: DataSource;
let unitOfWork: UnitOfWork;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'scfm-'));
  dataSource = await new ClosableDataSource({ type: 'sqlite', database: join(folder, 'a.sqlite3') }).initialize();
  await dataSource.query('CREATE TABLE notes (text TEXT)');
  unitOfWork = new UnitOfWork(dataSource);
});
afterEach(async () => {
  await dataSource.destroy();
  rmSync(folder, { recursive: true });
});

const write = (manager: EntityManager, text: string) => manager.query('INSERT INTO notes VALUES (?)', [text]);
const notes = async () => (await dataSource.query('SELECT text FROM notes')).map(({ text }: { text: string }) => text);

it('keeps what one writer wrote when another at the same time is undone', async () => {
  const undone = unitOfWork.run(async (manager) => {
    await write(manager, 'undone');
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('changed my mind');
  });
  const kept = Array.from({ length: 20 }, (_, n) => unitOfWork.run((manager) => write(manager, `kept ${n}`)));
  await expect(undone).rejects.toThrow('changed my mind');
  await Promise.all(kept);
  expect(await notes()).toEqual(Array.from({ length: 20 }, (_, n) => `kept ${n}`));
});

it.each([
  ['fails half way', 'INSERT INTO nowhere VALUES (1)', 'nowhere'],
  ['SQLite has undone by itself', 'INSERT INTO strict VALUES (1), (1)', 'UNIQUE constraint failed'],
])('undoes all of a transaction that %s, says why, and goes on', async (_, statement, reason) => {
  await dataSource.query('CREATE TABLE strict (n INTEGER UNIQUE ON CONFLICT ROLLBACK)');
  const failing = unitOfWork.run(async (manager) => {
    await write(manager, 'half');
    await manager.query(statement);
  });
  await expect(failing).rejects.toThrow(reason);
  await unitOfWork.run((manager) => write(manager, 'after'));
  expect(await notes()).toEqual(['after']);
});

it('adds up what many writers count', async () => {
  await dataSource.query('CREATE TABLE counter (n INTEGER)');
  await dataSource.query('INSERT INTO counter VALUES (0)');
  const count = () =>
    unitOfWork.run(async (manager) => {
      const [{ n }] = await manager.query('SELECT n FROM counter');
      await manager.query('UPDATE counter SET n = ?', [n + 1]);
    });
  await Promise.all(Array.from({ length: 50 }, count));
  expect(await dataSource.query('SELECT n FROM counter')).toEqual([{ n: 50 }]);
});

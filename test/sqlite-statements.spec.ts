import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sql, { raw } from 'sql-template-tag';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ClosableDataSource } from '../src/database/open-database.js';
import { query } from '../src/database/statements.js';

let folder: string;
let dataSource: DataSource;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'scfm-'));
  dataSource = await new ClosableDataSource({ type: 'sqlite', database: join(folder, 'a.sqlite3') }).initialize();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Counts how many statements the driver prepares. */
function countPrepared(): { count: number } {
  const { databaseConnection: driver } = dataSource.driver as unknown as {
    databaseConnection: { prepare(...parameters: unknown[]): unknown };
  };
  const prepare = driver.prepare.bind(driver);
  const prepared = { count: 0 };
  driver.prepare = (...parameters) => {
    prepared.count++;
    return prepare(...parameters);
  };
  return prepared;
}

it('prepares a statement once for concurrent first uses, and can be closed', async () => {
  const prepared = countPrepared();
  const rows = await Promise.all(Array.from({ length: 20 }, (_, n) => query(dataSource, sql`SELECT ${n} AS n`)));
  expect(rows).toEqual(Array.from({ length: 20 }, (_, n) => [{ n }]));
  expect(prepared.count).toBe(1);
  await dataSource.destroy();
});

it('finalizes evicted statements, even while they run, and can be closed', async () => {
  const select = (n: number) => query(dataSource, sql`SELECT ${raw(String(n))} AS n`);
  const rows = await Promise.all(Array.from({ length: 500 }, (_, n) => select(n)));
  expect(rows).toEqual(Array.from({ length: 500 }, (_, n) => [{ n }]));
  await dataSource.destroy();
});

it('tries again to prepare a statement that could not be prepared, and can be closed', async () => {
  const select = () => query(dataSource, sql`SELECT n FROM later`);
  expect((await Promise.allSettled([select(), select()])).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
  ]);
  await dataSource.query('CREATE TABLE later (n INTEGER)');
  expect(await select()).toEqual([]);
  await dataSource.destroy();
});

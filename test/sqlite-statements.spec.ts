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

/** Counts how often the driver prepares a statement. */
function countPrepared(): { count: number } {
  const { databaseConnection: driver } = dataSource.driver as unknown as {
    databaseConnection: { prepare(...given: unknown[]): unknown };
  };
  const prepare = driver.prepare.bind(driver);
  const prepared = { count: 0 };
  driver.prepare = (...given) => {
    prepared.count++;
    return prepare(...given);
  };
  return prepared;
}

it('prepares a statement once, however many use it for the first time at once, and can be closed', async () => {
  const prepared = countPrepared();
  const rows = await Promise.all(Array.from({ length: 20 }, (_, n) => query(dataSource, sql`SELECT ${n} AS n`)));
  expect(rows).toEqual(Array.from({ length: 20 }, (_, n) => [{ n }]));
  expect(prepared.count).toBe(1);
  await dataSource.destroy();
});

it('lets go of the statements that it does not keep, also while they run, and can be closed', async () => {
  const ask = (n: number) => query(dataSource, sql`SELECT ${raw(String(n))} AS n`);
  const rows = await Promise.all(Array.from({ length: 500 }, (_, n) => ask(n)));
  expect(rows).toEqual(Array.from({ length: 500 }, (_, n) => [{ n }]));
  await dataSource.destroy();
});

it('tries again to prepare what could not be prepared, and can be closed', async () => {
  const ask = () => query(dataSource, sql`SELECT n FROM later`);
  expect((await Promise.allSettled([ask(), ask()])).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await dataSource.query('CREATE TABLE later (n INTEGER)');
  expect(await ask()).toEqual([]);
  await dataSource.destroy();
});

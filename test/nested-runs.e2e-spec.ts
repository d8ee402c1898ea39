import { Logger } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import sql from 'sql-template-tag';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { dataSourceOptions } from '../src/database/data-source-options.js';
import { readConfig } from '../src/config/config.js';
import { ClosableDataSource } from '../src/database/open-database.js';
import { PostgresConnections } from '../src/database/postgres-connections.js';
import { PostgresWriter } from '../src/database/postgres-writer.js';
import { SqliteWriter } from '../src/database/sqlite-writer.js';
import type { Transaction } from '../src/database/transaction.js';
import { BackgroundUnitOfWork, UnitOfWork } from '../src/database/unit-of-work.js';
import type { Writer } from '../src/database/writer.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';

// The modules of `database/` read DATABASE_URL when they are imported.
vi.hoisted(() => {
  if (process.env.SCFM_TEST_WAY === 'cluster') process.env.DATABASE_URL = process.env.TEST_DATABASE_URL;
});

let installation: Installation;
let dataSource: DataSource;
let unitOfWork: UnitOfWork;
let background: BackgroundUnitOfWork;

beforeEach(async () => {
  installation = await Installation.create();
  const config = readConfig({ ...installation.environment, SCFM_ROLE: 'worker' });
  const options = { ...dataSourceOptions(config.database), entities: [], migrations: [] };
  dataSource = await new ClosableDataSource(options).initialize();
  const writer: Writer =
    way === 'cluster'
      ? new PostgresWriter(await PostgresConnections.open(dataSource, config))
      : new SqliteWriter(dataSource);
  unitOfWork = new UnitOfWork(writer);
  background = new BackgroundUnitOfWork(writer);
  await dataSource.query('CREATE TABLE notes (text varchar)');
});
afterEach(async () => {
  await dataSource.destroy();
  await installation.remove();
});

const write = (transaction: Transaction, text: string) => transaction.execute(sql`INSERT INTO notes VALUES (${text})`);
const committed = async () =>
  (await installation.query<{ text: string }>('SELECT text FROM notes')).map(({ text }) => text);

it('is committed with the run around it, and not before', async () => {
  await unitOfWork.run(async (transaction) => {
    await write(transaction, 'outer');
    await background.run(async (inner) => {
      await write(inner, 'inner');
      await unitOfWork.run((innermost) => write(innermost, 'innermost'));
    });
    expect(await committed()).toEqual([]);
    await write(transaction, 'last');
  });
  expect(await committed()).toEqual(['outer', 'inner', 'innermost', 'last']);
});

it('sees the writes of the run around it, and returns its result', async () => {
  const seen = await unitOfWork.run(async (transaction) => {
    await write(transaction, 'outer');
    return unitOfWork.run((inner) => inner.query(sql`SELECT text FROM notes`));
  });
  expect(seen).toEqual([{ text: 'outer' }]);
});

it('is rolled back when the run around it fails', async () => {
  const failing = unitOfWork.run(async (transaction) => {
    await write(transaction, 'outer');
    await unitOfWork.run((inner) => write(inner, 'inner'));
    throw new Error('outer failed');
  });
  await expect(failing).rejects.toThrow('outer failed');
  expect(await committed()).toEqual([]);
});

it('rolls back the run around it when it fails, even if its error is caught', async () => {
  const failing = unitOfWork.run(async (transaction) => {
    await write(transaction, 'outer');
    await unitOfWork
      .run(async (inner) => {
        await write(inner, 'inner');
        throw new Error('inner failed');
      })
      .catch(() => undefined);
    // No later run of this transaction begins.
    await expect(unitOfWork.run((inner) => write(inner, 'later'))).rejects.toThrow('inner failed');
  });
  await expect(failing).rejects.toThrow('inner failed');
  expect(await committed()).toEqual([]);
  await unitOfWork.run((transaction) => write(transaction, 'after'));
  expect(await committed()).toEqual(['after']);
});

it('is complete before the commit, even if the run around it does not await it', async () => {
  let started: Promise<unknown> | undefined;
  await unitOfWork.run(async (transaction) => {
    await write(transaction, 'outer');
    started = unitOfWork.run(async (inner) => {
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      await write(inner, 'inner');
    });
  });
  expect(await committed()).toEqual(['outer', 'inner']);
  await started;
});

it('begins a transaction of its own after the run that started its loop has ended', async () => {
  let isOver = false;
  let loop: Promise<void> | undefined;
  const failing = unitOfWork.run(async (transaction) => {
    await write(transaction, 'outer');
    loop = (async () => {
      await eventually(() => isOver);
      await unitOfWork.run((own) => write(own, 'loop'));
    })();
    throw new Error('outer failed');
  });
  await expect(failing).rejects.toThrow('outer failed');
  // The run of another caller is open at the same time.
  await unitOfWork.run(async (transaction) => {
    await write(transaction, 'other');
    isOver = true;
    if (way === 'cluster') await loop;
    else await nextTurn();
  });
  await loop;
  expect(await committed().then((texts) => texts.toSorted())).toEqual(['loop', 'other']);
});

it.runIf(way === 'cluster')('is tried again after a conflict with another transaction, and says so', async () => {
  const warnings = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  let failures = 0;
  const conflictUntil = (attempt: number) =>
    unitOfWork.run(async (transaction) => {
      await write(transaction, `until ${attempt}`);
      if (++failures < attempt) await transaction.query(sql`DO 'BEGIN RAISE deadlock_detected; END'`);
    });
  await conflictUntil(2);
  expect(await committed()).toEqual(['until 2']);
  expect(warnings.mock.calls).toEqual([['A transaction conflicts with another one (40P01): attempt 1 of 5']]);
  failures = 0;
  await expect(conflictUntil(6)).rejects.toThrow('deadlock_detected');
  expect(warnings).toHaveBeenCalledTimes(6);
  warnings.mockRestore();
});

it('does not join a concurrent run of another caller', async () => {
  const runs = Array.from({ length: 10 }, (_, n) =>
    unitOfWork.run(async (transaction) => {
      await write(transaction, `${n}`);
      await nextTurn();
      await unitOfWork.run((inner) => write(inner, `${n}`));
      if (n % 2 === 1) throw new Error('odd');
    }),
  );
  await Promise.allSettled(runs);
  expect((await committed()).toSorted()).toEqual(['0', '0', '2', '2', '4', '4', '6', '6', '8', '8']);
});

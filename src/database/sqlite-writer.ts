import { Logger } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import type { ManagerWork } from './open-transaction.js';
import { query } from './statements.js';
import { type Take, takeOnce } from './take-once.js';
import { type Origin, Writer } from './writer.js';

/** How many statements share one transaction at most. */
const MAX_GROUP_SIZE = 500;

/**
 * Error codes after which SQLite may have rolled back the transaction. After any other error, it undoes only the
 * statement. Source: https://www.sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction".
 */
const TRANSACTION_LOST = /^SQLITE_(FULL|IOERR|NOMEM|BUSY|INTERRUPT)$/;

/** Runs a transaction, or a group of statements in one transaction. */
type Task = () => Promise<void>;

/** A statement that waits for its group to be committed. */
interface PendingStatement {
  statement: Sql;
  resolve(rows: unknown[]): void;
  reject(error: unknown): void;
}

/** Work that waits for the transaction that it shares with other work. */
interface PendingWork {
  work: ManagerWork<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** The waiting transactions and groups of one origin, in the order of their arrival. */
class WriteQueue {
  private readonly tasks: Task[] = [];
  private statements: PendingStatement[] = [];
  private readonly works: PendingWork[] = [];

  constructor(
    private readonly commitGroup: (statements: PendingStatement[]) => Promise<void>,
    private readonly commitShared: (take: Take<PendingWork>) => Promise<void>,
  ) {}

  addTransaction(task: Task): void {
    this.tasks.push(task);
  }

  /** Adds a statement to the last group that has not started, or begins a group. */
  addStatement(pending: PendingStatement): void {
    if (this.statements.length % MAX_GROUP_SIZE === 0) {
      this.tasks.push(() => this.commitGroup(this.statements.splice(0, MAX_GROUP_SIZE)));
    }
    this.statements.push(pending);
  }

  /** Adds work to the shared transaction that has not begun, or queues one. */
  addWork(pending: PendingWork): void {
    if (this.works.length === 0) this.tasks.push(() => this.commitShared(takeOnce(this.works)));
    this.works.push(pending);
  }

  next(): Task | undefined {
    return this.tasks.shift();
  }
}

/**
 * Writes to a SQLite file. All writes of a process share one connection, where concurrent transactions would silently
 * become one, so transactions run one after the other. API clients and background work have a queue each, and the
 * queues take turns, so that neither delays the other.
 *
 * Single statements that wait at the same time share one transaction, because the disk must confirm each commit (group
 * commit). If one statement fails, only that one is undone. If the commit fails, all of them fail. Work that may share
 * a transaction is grouped in the same way. If one of them fails, each runs again in a transaction of its own.
 */
export class SqliteWriter extends Writer {
  private readonly logger = new Logger('Database');
  private readonly queues: Record<Origin, WriteQueue>;
  private lastServed: Origin = 'api';
  private isRunning = false;

  /** @param exit ends the process; called when the connection can neither be used nor replaced */
  constructor(
    private readonly dataSource: DataSource,
    private readonly exit: () => void = () => process.exit(1),
  ) {
    super();
    const createQueue = (): WriteQueue =>
      new WriteQueue(
        (statements) => this.commitGroup(statements),
        (take) => this.commitShared(take),
      );
    this.queues = { api: createQueue(), background: createQueue() };
  }

  protected begin<T>(work: ManagerWork<T>, origin: Origin): Promise<T> {
    return new Promise((resolve, reject) => {
      this.queues[origin].addTransaction(() => this.transact(work).then(resolve, reject));
      this.start();
    });
  }

  protected override beginShared<T>(work: ManagerWork<T>, origin: Origin): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      this.queues[origin].addWork({ work, resolve, reject });
      this.start();
    }) as Promise<T>;
  }

  protected runAlone<T>(statement: Sql, origin: Origin): Promise<T[]> {
    return new Promise<unknown[]>((resolve, reject) => {
      this.queues[origin].addStatement({ statement, resolve, reject });
      this.start();
    }) as Promise<T[]>;
  }

  private start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    // Statements of the same turn of the event loop share one transaction.
    queueMicrotask(() => void this.runTasks());
  }

  private async runTasks(): Promise<void> {
    for (let task = this.nextTask(); task; task = this.nextTask()) await task();
    this.isRunning = false;
  }

  private nextTask(): Task | undefined {
    const first: Origin = this.lastServed === 'api' ? 'background' : 'api';
    for (const origin of [first, this.lastServed]) {
      const task = this.queues[origin].next();
      if (!task) continue;
      this.lastServed = origin;
      return task;
    }
  }

  private async commitGroup(statements: PendingStatement[]): Promise<void> {
    try {
      const outcomes = await this.transact((manager) => this.runEach(manager, statements));
      statements.forEach(({ resolve, reject }, index) => {
        const outcome = outcomes[index]!;
        if ('rows' in outcome) resolve(outcome.rows);
        else reject(outcome.error);
      });
    } catch (error) {
      for (const { reject } of statements) reject(error);
    }
  }

  private async commitShared(take: Take<PendingWork>): Promise<void> {
    try {
      const results = await this.transact(async (manager) => {
        const all: unknown[] = [];
        for (const { work } of take()) all.push(await work(manager));
        return all;
      });
      take().forEach(({ resolve }, index) => resolve(results[index]));
    } catch (error) {
      // If the transaction could not begin, nothing was taken yet.
      const works = take();
      if (works.length === 1) return works[0]!.reject(error);
      for (const { work, resolve, reject } of works) await this.transact(work).then(resolve, reject);
    }
  }

  private async runEach(manager: EntityManager, statements: PendingStatement[]) {
    const outcomes: ({ rows: unknown[] } | { error: unknown })[] = [];
    for (const { statement } of statements) {
      try {
        outcomes.push({ rows: await query(manager, statement) });
      } catch (error) {
        if (TRANSACTION_LOST.test((error as { code?: string }).code ?? '')) throw error;
        outcomes.push({ error });
      }
    }
    return outcomes;
  }

  /**
   * Runs a transaction. It takes the write lock at its beginning, so that another process cannot write between its
   * reads and its writes.
   */
  private async transact<T>(work: ManagerWork<T>): Promise<T> {
    const { manager } = this.dataSource;
    await query(manager, sql`BEGIN IMMEDIATE`);
    try {
      const result = await work(manager);
      await query(manager, sql`COMMIT`);
      return result;
    } catch (error) {
      await this.rollBack(manager);
      throw error;
    }
  }

  /**
   * Rolls the transaction back. If that fails, every later transaction would fail, so the connection is replaced:
   * closing it undoes its transaction.
   */
  private async rollBack(manager: EntityManager): Promise<void> {
    try {
      await query(manager, sql`ROLLBACK`);
    } catch (failure) {
      const { message } = failure as Error;
      // SQLite has rolled back by itself, for example because the disk is full.
      if (message.includes('no transaction is active')) return;
      this.logger.error(`A transaction could not be rolled back, so the file is opened again: ${message}`);
      await this.reopen();
    }
  }

  private async reopen(): Promise<void> {
    try {
      await this.dataSource.destroy();
      await this.dataSource.initialize();
    } catch (error) {
      this.logger.fatal(
        `The database file could not be opened again, so the program ends: ${(error as Error).message}`,
      );
      this.exit();
    }
  }
}

import { Logger } from '@nestjs/common';
import sql, { type Sql } from 'sql-template-tag';
import type { DataSource, EntityManager } from 'typeorm';
import type { DatabaseWork } from './open-transaction.js';
import { rowsOf } from './statements.js';
import { type Origin, Writer } from './writer.js';

/** Statements that share one transaction, at most. */
const MOST_TOGETHER = 500;

/**
 * Failures of a statement after which its transaction may be gone. After any other, only the statement is undone.
 * Source: https://www.sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction".
 */
const UNDOES_ALL = /^SQLITE_(FULL|IOERR|NOMEM|BUSY|INTERRUPT)$/;

/** A transaction, or a group of statements, that waits in a line. */
type Turn = () => Promise<void>;

/** A statement that waits for its turn. */
interface Waiting {
  statement: Sql;
  resolve(rows: unknown[]): void;
  reject(error: unknown): void;
}

/** What waits of one origin: transactions and groups of statements, in the order in which they came. */
class Line {
  private readonly turns: Turn[] = [];
  private statements: Waiting[] = [];

  constructor(private readonly commitTogether: (statements: Waiting[]) => Promise<void>) {}

  transaction(turn: Turn): void {
    this.turns.push(turn);
  }

  /** The first statement takes a place in the line. Those that come before its turn go with it. */
  statement(waiting: Waiting): void {
    if (this.statements.length % MOST_TOGETHER === 0) {
      this.turns.push(() => this.commitTogether(this.statements.splice(0, MOST_TOGETHER)));
    }
    this.statements.push(waiting);
  }

  next(): Turn | undefined {
    return this.turns.shift();
  }
}

/**
 * Writes to a SQLite file. All queries of a process share one connection, on which a transaction inside another would
 * silently become part of it, so writes take turns. API clients and background work have a line each, and the lines
 * take turns too: a crowd of one does not hold up the other.
 *
 * Statements that wait at the same time share one transaction, since the disk must confirm each commit (group commit).
 * The failure of one of them is its own; if the commit fails, all of them fail.
 */
export class SqliteWriter extends Writer {
  private readonly logger = new Logger('Database');
  private readonly lines: Record<Origin, Line>;
  private lastServed: Origin = 'api';
  private isAtWork = false;

  /** @param exit ends the process when the connection can neither be used nor replaced */
  constructor(
    private readonly dataSource: DataSource,
    private readonly exit: () => void = () => process.exit(1),
  ) {
    super();
    const line = (): Line => new Line((statements) => this.commitTogether(statements));
    this.lines = { api: line(), background: line() };
  }

  protected begin<T>(work: DatabaseWork<T>, origin: Origin): Promise<T> {
    return new Promise((resolve, reject) => {
      this.lines[origin].transaction(() => this.transact(work).then(resolve, reject));
      this.serve();
    });
  }

  protected commit<T>(statement: Sql, origin: Origin): Promise<T[]> {
    return new Promise<unknown[]>((resolve, reject) => {
      this.lines[origin].statement({ statement, resolve, reject });
      this.serve();
    }) as Promise<T[]>;
  }

  private serve(): void {
    if (this.isAtWork) return;
    this.isAtWork = true;
    // Statements of the same turn of the event loop share one transaction.
    queueMicrotask(() => void this.serveAll());
  }

  private async serveAll(): Promise<void> {
    for (let turn = this.nextTurn(); turn; turn = this.nextTurn()) await turn();
    this.isAtWork = false;
  }

  private nextTurn(): Turn | undefined {
    const first: Origin = this.lastServed === 'api' ? 'background' : 'api';
    for (const origin of [first, this.lastServed]) {
      const turn = this.lines[origin].next();
      if (!turn) continue;
      this.lastServed = origin;
      return turn;
    }
  }

  private async commitTogether(statements: Waiting[]): Promise<void> {
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

  private async runEach(manager: EntityManager, statements: Waiting[]) {
    const outcomes: ({ rows: unknown[] } | { error: unknown })[] = [];
    for (const { statement } of statements) {
      try {
        outcomes.push({ rows: await rowsOf(manager, statement) });
      } catch (error) {
        if (UNDOES_ALL.test((error as { code?: string }).code ?? '')) throw error;
        outcomes.push({ error });
      }
    }
    return outcomes;
  }

  /**
   * Takes SQLite's write lock at once, so that another process's write cannot come between our reading and our writing.
   */
  private async transact<T>(work: DatabaseWork<T>): Promise<T> {
    const { manager } = this.dataSource;
    await rowsOf(manager, sql`BEGIN IMMEDIATE`);
    try {
      const result = await work(manager);
      await rowsOf(manager, sql`COMMIT`);
      return result;
    } catch (error) {
      await this.rollBack(manager);
      throw error;
    }
  }

  /**
   * Without a rollback every later transaction would fail, so a connection that cannot roll back is replaced: closing
   * it undoes its transaction.
   */
  private async rollBack(manager: EntityManager): Promise<void> {
    try {
      await rowsOf(manager, sql`ROLLBACK`);
    } catch (failure) {
      const { message } = failure as Error;
      // A disk that is full, among others, has SQLite roll back by itself.
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

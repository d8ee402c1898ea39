import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sql, { type Sql, empty, raw } from 'sql-template-tag';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataSourceOptions } from '../src/database/data-source-options.js';
import { now, secondsFromNow } from '../src/database/dialect.js';
import { ClosableDataSource } from '../src/database/open-database.js';
import { query } from '../src/database/statements.js';
import { Transaction } from '../src/database/transaction.js';
import {
  type PhoneCallMove,
  type PhoneCallStatus,
  awaitedStatuses,
  bookkeepingColumns,
  endedStatuses,
  hasEnded,
  phoneCallBookkeeping,
  phoneCallStatuses,
} from '../src/phone-calls/phone-call.machine.js';
import {
  type MoveValues,
  checkPhoneCallMachine,
  insertion,
  isMovable,
  movePhoneCalls,
} from '../src/phone-calls/phone-call-transitions.js';
import { type RemoteUpdate, type KnownState, stateAfter } from '../src/phone-calls/remote-state.js';
import { type Machine, checkMachine } from '../src/state-machine/check-machine.js';
import { BOOKKEEPING_VIOLATIONS } from './support/bookkeeping.js';

describe('the check of a state machine', () => {
  const light: Machine = {
    name: 'lights',
    statuses: ['off', 'on'],
    columns: ['lit_at'],
    tableColumns: ['id', 'lit_at'],
    bookkeeping: { off: { lit_at: 'null' }, on: { lit_at: 'set' } },
    moves: {
      make: { from: [], to: ['off'], sets: [] },
      light: { from: ['off'], to: ['on'], sets: ['lit_at'] },
    },
  };

  it('accepts the machine of phone calls, and a correct example', () => {
    checkPhoneCallMachine();
    checkMachine(light);
  });

  it.each<[string, Partial<Machine>]>([
    ['lights have no column lit_at', { tableColumns: ['id'] }],
    ['the status on of lights has no bookkeeping', { bookkeeping: { off: { lit_at: 'null' } } }],
    ['the status on of lights does not say what lit_at holds', { bookkeeping: { off: { lit_at: 'null' }, on: {} } }],
    ['no move of lights leads to the status on', { moves: { make: { from: [], to: ['off'], sets: [] } } }],
    [
      'the move light of lights leads to on without setting lit_at',
      { moves: { ...light.moves, light: { from: ['off'], to: ['on'], sets: [] } } },
    ],
    [
      'the move dim of lights names the status dark, which does not exist',
      { moves: { ...light.moves, dim: { from: ['on'], to: ['dark'], sets: [] } } },
    ],
    [
      'the move dim of lights names watts, which is no bookkeeping column',
      { moves: { ...light.moves, dim: { from: ['on'], to: ['off'], sets: ['watts'] } } },
    ],
    [
      'the move dim of lights sets lit_at, which no status has that it leads to',
      { moves: { ...light.moves, dim: { from: ['on'], to: ['off'], sets: ['lit_at'] } } },
    ],
    [
      'the move dim of lights cannot leave a row in off: it does not begin there',
      { moves: { ...light.moves, dim: { from: ['on'], to: [], stays: ['off'], sets: [] } } },
    ],
  ])('says that %s', (sentence, wrong) => {
    expect(() => checkMachine({ ...light, ...wrong })).toThrow(`The state machine is wrong: ${sentence}.`);
  });
});

describe('the statuses of a phone call', () => {
  it('wait to be dialed, await the provider with a scheduled lookup, or have ended without one', () => {
    const waiting = ['created', 'queued'];
    expect([...waiting, ...awaitedStatuses, ...endedStatuses].toSorted()).toEqual([...phoneCallStatuses].toSorted());
    for (const status of phoneCallStatuses) {
      const isAwaited = awaitedStatuses.some((one) => one === status);
      expect([status, phoneCallBookkeeping[status].check_at]).toEqual([status, isAwaited ? 'set' : 'null']);
      expect(hasEnded(status)).toBe(!isAwaited && !waiting.includes(status));
    }
  });

  it('are only reached by moves that lead to them', async () => {
    const values = {
      lease_token: null,
      remote_call_id: 'CA1',
      remote_status: 'queued',
      remotely_queued_at: null,
      check_at: now,
    };
    const move = { values, target: 'queued', where: sql`TRUE` } as const;
    await expect(movePhoneCalls({} as Transaction, 'apply_remote_state', move)).rejects.toThrow(
      'apply_remote_state does not lead to queued',
    );
  });
});

describe('moves of a phone call in the database', () => {
  let folder: string;
  let database: DataSource;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'scfm-'));
    const options = dataSourceOptions({ kind: 'sqlite', path: join(folder, 'a.sqlite3') });
    database = await new ClosableDataSource(options).initialize();
    await database.runMigrations();
    // For speed. Nothing must survive the test.
    await database.query('PRAGMA synchronous = OFF');
  });
  afterAll(async () => {
    await database.destroy();
    rmSync(folder, { recursive: true });
  });

  async function create(): Promise<number> {
    const { columns, values } = insertion('create', {});
    const [call] = await query<{ id: number }>(
      database,
      sql`INSERT INTO phone_calls (msisdn, ${columns}) VALUES ('+85510202101', ${values}) RETURNING id`,
    );
    return call!.id;
  }

  async function rowOf(id: number): Promise<KnownState & { remote_call_id: string | null; checks: number }> {
    const [row] = await query<Record<string, unknown>>(
      database,
      sql`SELECT status, ${raw(bookkeepingColumns.join(', '))} FROM phone_calls WHERE id = ${id}`,
    );
    return row as never;
  }

  /**
   * Makes a move if the row's status and `guard` permit it.
   * @returns whether the row was moved
   */
  async function make<M extends PhoneCallMove>(
    move: M,
    id: number,
    values: MoveValues<M>,
    guard: Sql = empty,
    target?: PhoneCallStatus | Sql,
  ): Promise<boolean> {
    const where = sql`id = ${id} ${guard}`;
    const moved = await movePhoneCalls(new Transaction(database.manager), move, { values, target, where });
    return moved.length > 0;
  }

  const claimed = sql`AND lease_token IS NOT NULL`;
  const unclaimed = sql`AND lease_token IS NULL`;
  const taken = sql`coalesce(remotely_queued_at, dialled_at)`;
  const later = secondsFromNow(60);

  async function webhook(id: number, update: RemoteUpdate): Promise<boolean> {
    const row = await rowOf(id);
    const assumed = ['created', 'queued', 'uncertain', ...(row.remote_call_id === null ? ['errored' as const] : [])];
    const { status, remoteStatus } = stateAfter(row, update, assumed as PhoneCallStatus[]);
    const values = {
      remote_call_id: `CA${id}`,
      remote_status: remoteStatus,
      remotely_queued_at: taken,
      sequence_number: Math.max(update.sequence ?? -1, row.sequence_number ?? -1),
      check_at: later,
      checks: 0,
    };
    // As an expression, like a batch of webhooks.
    return make('webhook', id, values, empty, sql`${status}`);
  }

  async function lookedUp(id: number, remoteStatus: string): Promise<boolean> {
    const row = await rowOf(id);
    if (!isMovable('apply_remote_state', row.status)) return false;
    const standing = stateAfter(row, { remoteStatus }, ['remote_fetch_queued', 'uncertain']);
    const values = {
      lease_token: null,
      remote_call_id: `CA${id}`,
      remote_status: standing.remoteStatus,
      remotely_queued_at: taken,
      check_at: later,
    };
    return make('apply_remote_state', id, values, empty, standing.status);
  }

  const accepted = (id: number) => ({ lease_token: null, remote_call_id: `CA${id}`, remotely_queued_at: taken });

  /** Each move of the machine as the program makes it, except for those that insert a row. */
  const moves: Record<Exclude<PhoneCallMove, 'create' | 'attempt' | 'receive'>, (id: number) => Promise<boolean>> = {
    queue: (id) => make('queue', id, {}),
    queue_remote_fetch: (id) => make('queue_remote_fetch', id, { check_at: now, checks: 0 }),
    reserve: (id) => make('reserve', id, { leased_until: later }, unclaimed),
    release_reservation: (id) => make('release_reservation', id, { leased_until: null }, unclaimed),
    claim: (id) =>
      make(
        'claim',
        id,
        { lease_token: 'token', leased_until: later, dialled_at: now },
        sql`AND lease_token IS NULL AND leased_until IS NOT NULL`,
      ),
    release_claim: (id) =>
      make('release_claim', id, { lease_token: null, leased_until: null, dialled_at: null }, claimed),
    expire_claim: (id) => make('expire_claim', id, { check_at: now, checks: 0 }),
    cancel: (id) => make('cancel', id, { lease_token: null, dialled_at: null, remote_error_message: null }),
    record_accepted: (id) =>
      make(
        'record_accepted',
        id,
        { ...accepted(id), remote_status: 'queued', check_at: later, checks: 0 },
        sql`AND (lease_token IS NOT NULL OR status = 'errored' AND remote_call_id IS NULL)`,
        sql`${'remotely_queued'}`,
      ),
    record_late_answer: (id) => make('record_late_answer', id, accepted(id), claimed),
    record_refused: (id) =>
      make('record_refused', id, { remote_error_message: 'Invalid number', refusal_code: '21211' }, claimed),
    record_unsendable: (id) =>
      make('record_unsendable', id, { remote_error_message: 'Nothing to say', dialled_at: null }, claimed),
    record_unknown: (id) => make('record_unknown', id, { lease_token: null, check_at: later, checks: 0 }, claimed),
    record_postponed: (id) =>
      make(
        'record_postponed',
        id,
        {
          lease_token: null,
          leased_until: null,
          postponed_until: later,
          dialled_at: null,
          refusals: sql`refusals + 1`,
        },
        claimed,
      ),
    requeue: (id) =>
      make(
        'requeue',
        id,
        { dialled_at: null, refusals: 0 },
        sql`AND refusal_code IS NOT NULL AND remote_call_id IS NULL`,
      ),
    webhook: (id) => webhook(id, { remoteStatus: 'ringing', sequence: 1 }),
    look_up: (id) => make('look_up', id, { check_at: later, checks: sql`checks + 1` }),
    apply_remote_state: (id) => lookedUp(id, 'in-progress'),
    reschedule: (id) => make('reschedule', id, { check_at: later }),
    end_remote_fetch: (id) => make('end_remote_fetch', id, { check_at: later }),
    give_up: (id) => make('give_up', id, { remote_error_message: 'Not known' }),
    retract_remote_id: (id) =>
      make(
        'retract_remote_id',
        id,
        { dialled_at: sql`coalesce(dialled_at, ${now})`, check_at: now, checks: 0 },
        sql`AND remote_call_id IS NOT NULL`,
      ),
    mark_lost: (id) => make('mark_lost', id, { dialled_at: now, check_at: now, checks: 0 }, unclaimed),
  };
  const names = Object.keys(moves) as (keyof typeof moves)[];

  const ENDS = {
    completed: 'completed',
    busy: 'busy',
    failed: 'failed',
    'no-answer': 'not_answered',
    canceled: 'canceled',
  };

  it('keep the columns of each status as declared, in any order and repeated', async () => {
    const reached = new Set<string>();
    const made = new Set<string>();
    const steps = [
      ...names.map((name) => ({ name, run: moves[name] })),
      ...['ringing', 'in-progress', ...Object.keys(ENDS), undefined].map((remoteStatus, index) => ({
        name: 'webhook',
        run: (id: number) => webhook(id, { remoteStatus, sequence: index % 3 }),
      })),
    ];
    // Begin with the usual moves. Otherwise, most sequences get stuck early.
    const beginnings: (keyof typeof moves)[][] = [
      ['queue'],
      ['queue', 'reserve', 'claim'],
      ['queue', 'reserve', 'claim', 'record_refused'],
      ['queue', 'reserve', 'claim', 'expire_claim'],
      ['queue', 'reserve', 'claim', 'record_accepted'],
      ['queue', 'reserve', 'claim', 'record_accepted', 'queue_remote_fetch'],
      ['queue', 'reserve', 'claim', 'webhook'],
      [],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...beginnings),
        fc.array(fc.constantFrom(...steps), { maxLength: 12 }),
        async (beginning, others) => {
          const id = await create();
          for (const { name, run } of [...beginning.map((one) => ({ name: one, run: moves[one] })), ...others]) {
            const before = await rowOf(id);
            const isMade = await run(id);
            const after = await rowOf(id);
            if (isMade) made.add(name);
            else expect(after).toEqual(before);
            reached.add(after.status);
            expect([
              name,
              before,
              await query(database, sql`SELECT * FROM (${raw(BOOKKEEPING_VIOLATIONS)}) AS wrong WHERE id = ${id}`),
            ]).toEqual([name, before, []]);
          }
          await query(database, sql`DELETE FROM phone_calls`);
        },
      ),
      {
        numRuns: 600,
        examples: beginnings.flatMap((beginning) =>
          steps.map((one): [typeof beginning, typeof steps] => [beginning, [one]]),
        ),
      },
    );
    expect([...reached].toSorted()).toEqual([...phoneCallStatuses].toSorted());
    expect([...made].toSorted()).toEqual([...names].toSorted());
  }, 120_000);

  it('end in the newest status of the provider, however the updates are ordered and repeated', async () => {
    const course = ['initiated', 'ringing', 'in-progress'];
    const disturbances: (keyof typeof moves)[] = [
      'expire_claim',
      'record_accepted',
      'record_late_answer',
      'queue_remote_fetch',
      'end_remote_fetch',
      'look_up',
      'reschedule',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(ENDS) as (keyof typeof ENDS)[])),
        fc.array(fc.constantFrom<string>(...disturbances, ...course), { maxLength: 8 }),
        fc.infiniteStream(fc.nat(1_000)),
        async (end, others, chance) => {
          const id = await create();
          for (const name of ['queue', 'reserve', 'claim'] as const) await moves[name](id);
          const news = [...course, end];
          const events = [...news, ...news.slice(1), ...others]
            .map((event) => ({ event, at: chance.next().value }))
            .toSorted((one, other) => one.at - other.at);
          for (const { event } of events) {
            const sequence = news.indexOf(event);
            if (sequence >= 0) await webhook(id, { remoteStatus: event, sequence });
            else await moves[event as keyof typeof moves](id);
          }
          const { status, remote_status } = await rowOf(id);
          expect({ status, remote_status }).toEqual({ status: ENDS[end], remote_status: end });
          // An older status from a lookup changes nothing.
          await lookedUp(id, 'ringing');
          expect((await rowOf(id)).status).toBe(ENDS[end]);
        },
      ),
      { numRuns: 200 },
    );
  }, 120_000);
});

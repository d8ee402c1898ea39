import type { Sql } from 'sql-template-tag';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { callsInFlight } from '../src/dialing/calls-in-flight.js';
import { Installation, way } from './support/installation.js';

// The modules of `database/` read DATABASE_URL when they are imported.
vi.hoisted(() => {
  if (process.env.SCFM_TEST_WAY === 'cluster') process.env.DATABASE_URL = process.env.TEST_DATABASE_URL;
});

const CALLS_EVER_MADE = 20_000;
const config = { providerTimeout: 20 };

/** @returns the text of a statement with its values. They are numbers, and texts without quotes */
const withValues = ({ strings, values }: Sql): string =>
  strings.reduce((all, part, index) => {
    const value = values[index - 1] as string | number;
    return `${all}${typeof value === 'string' ? `'${value}'` : value}${part}`;
  });

describe('the calls in flight', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
    await (await installation.start({ SCFM_ROLE: 'web' })).stop('SIGTERM');
    await installation.insertContacts(2);
    await installation.query(`INSERT INTO callouts (status) VALUES ('running'), ('running')`);
    await installation.query(`INSERT INTO callout_participations (callout_id, contact_id, msisdn)
      SELECT id, id, 'x' FROM callouts`);
    const insert = (callout: number, columns: string, values: string, from = '') =>
      installation.query(`INSERT INTO phone_calls (callout_id, callout_participation_id, contact_id, msisdn, ${columns})
        SELECT ${callout}, ${callout}, ${callout}, 'x', ${values} ${from}`);
    const insertEnded = (callout: number, count: number) =>
      insert(
        callout,
        'status',
        `'busy'`,
        `FROM (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count}) SELECT n FROM s) AS s`,
      );
    // The statistics are from before the second callout, so that the planner expects hardly any call of it.
    await insertEnded(1, CALLS_EVER_MADE / 10);
    await installation.query('ANALYZE');
    await insertEnded(2, CALLS_EVER_MADE);
    const inSeconds = (seconds: number) => `'${new Date(Date.now() + seconds * 1_000).toISOString()}'`;
    for (const callout of [2, 2, 1]) {
      await insert(callout, 'status, check_at', `'in_progress', ${inSeconds(60)}`);
      await insert(callout, 'status, leased_until', `'queued', ${inSeconds(2.9)}`);
      await insert(callout, 'status, leased_until, lease_token', `'queued', ${inSeconds(20)}, 'token'`);
    }
    // It was postponed, and is reserved again.
    await insert(2, 'status, leased_until, refusals', `'queued', ${inSeconds(2.9)}, 1`);
    // These do not count: waits for its turn, postponed after a refusal, uncertain, and an expired claim.
    await insert(2, 'status', `'queued'`);
    await insert(2, 'status, postponed_until, refusals', `'queued', ${inSeconds(2.9)}, 1`);
    await insert(2, 'status, check_at', `'uncertain', ${inSeconds(60)}`);
    await insert(2, 'status, leased_until, lease_token', `'queued', ${inSeconds(-20)}, 'token'`);
  });
  afterAll(() => installation.remove());

  it.each([
    ['of all callouts', undefined, 10],
    ['of one callout', 2, 7],
  ])('%s are counted by the partial indexes only', async (_, callout, expected) => {
    const statement = withValues(callsInFlight(config, callout));
    const explain = way === 'cluster' ? 'EXPLAIN' : 'EXPLAIN QUERY PLAN';
    const [counted] = await installation.query<{ count: string | number }>(`SELECT ${statement} AS count`);
    expect(Number(counted!.count)).toBe(expected);
    const plan = JSON.stringify(await installation.query(`${explain} SELECT ${statement}`));
    const indexes = new Set(plan.match(/phone_calls_[a-z]\w+/g));
    expect(indexes).toEqual(new Set(['phone_calls_to_check', 'phone_calls_handed_out']));
    expect(plan).not.toMatch(/Seq Scan|SCAN phone_calls(?! USING)/);
  });
});

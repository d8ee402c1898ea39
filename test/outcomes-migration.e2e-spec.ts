import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AddOutcomes1764900000000 } from '../src/database/migrations/1764900000000-add-outcomes.js';
import { migrations } from '../src/database/migrations/index.js';
import { OPTED_OUT_MESSAGE } from '../src/outcomes/opted-out-message.js';
import { phoneCallStatuses } from '../src/phone-calls/phone-call.machine.js';
import { Installation } from './support/installation.js';
import { findWrongOutcomes } from './support/outcomes.js';
import { runScript } from './support/run-script.js';

const run = promisify(execFile);
const project = join(import.meta.dirname, '..');

/** The migrations that add the outcomes and fill them in, and all later ones. */
const MIGRATIONS = migrations.length - migrations.indexOf(AddOutcomes1764900000000);

const TIME = `'2026-01-01T00:00:00.000Z'`;
const LATER = `'2026-01-02T00:00:00.000Z'`;

describe('the migration of a database without outcomes', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await Installation.create();
    await runScript('migrate.js', [], installation.environment);
  });
  afterAll(() => installation.remove());

  const typeorm = (command: string) =>
    run(process.execPath, ['node_modules/typeorm/cli.js', command, '-d', 'dist/ormconfig.js'], {
      cwd: project,
      env: { ...process.env, ...installation.environment },
    });

  it('fills in what the program would have stored', async () => {
    for (let index = 0; index < MIGRATIONS; index++) await typeorm('migration:revert');
    await expect(installation.query('SELECT outcome FROM callout_participations')).rejects.toThrow(/outcome/);
    const { participations, calls } = oldRows();
    await installation.query(`INSERT INTO callouts (status) VALUES ('running'), ('stopped')`);
    await installation.query(
      `INSERT INTO contacts (msisdn) VALUES ${participations.map((_, index) => `('+855${index}')`).join()}`,
    );
    await installation.query(
      `INSERT INTO callout_participations (callout_id, contact_id, msisdn, metadata) VALUES ${participations.join()}`,
    );
    await installation.query(
      `INSERT INTO phone_calls (callout_participation_id, msisdn, status, dialled_at, remote_call_id,
        call_flow_state, metadata, remote_error_message) VALUES ${calls.join()}`,
    );
    await typeorm('migration:run');
    expect(await findWrongOutcomes(installation)).toEqual([]);
    const outcomes = await installation.query<{ outcome: string }>(
      'SELECT DISTINCT outcome FROM callout_participations ORDER BY outcome',
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      'answered',
      'busy',
      'calling',
      'canceled',
      'confirmed',
      'errored',
      'failed',
      'machine',
      'not_answered',
      'opted_out',
      'uncertain',
      'waiting',
    ]);
    const ended = `status IN ('busy', 'failed', 'not_answered', 'canceled', 'completed', 'errored')`;
    expect(await installation.query(`SELECT id FROM phone_calls WHERE (ended_at IS NOT NULL) <> (${ended})`)).toEqual(
      [],
    );
  });
});

/** Rows of every kind, as SQL: a participation with one call of each kind, and those with pairs of calls. */
function oldRows(): { participations: string[]; calls: string[] } {
  const kinds = phoneCallStatuses.flatMap((status) =>
    ['NULL', TIME].flatMap((dialedAt) =>
      [
        `NULL, '{}', NULL`,
        `'{"machine":true}', '{}', NULL`,
        `NULL, '{"answered_by":"machine_start"}', NULL`,
        `NULL, '{"answered_by":"human"}', '${OPTED_OUT_MESSAGE}'`,
      ].map((rest, index) => ({ status, dialedAt, isAtProvider: dialedAt === TIME && index % 2 === 0, rest })),
    ),
  );
  const sets = [
    [],
    ...kinds.map((kind) => [kind]),
    ...kinds.map((kind, index) => [kind, kinds.at((index * 7 + 31) % kinds.length)!]),
  ];
  const participations: string[] = [];
  const calls: string[] = [];
  for (const set of sets) {
    for (const callout of [1, 2]) {
      const number = participations.length + 1;
      const metadata = number % 29 === 0 ? '{"confirmed_at":"2026-01-01"}' : '{}';
      participations.push(`(${callout}, ${number}, '+855${number}', '${metadata}')`);
      for (const [index, { status, dialedAt: firstAt, isAtProvider, rest }] of set.entries()) {
        const dialedAt = index > 0 && firstAt === TIME ? LATER : firstAt;
        const remoteId = isAtProvider ? `'CA${calls.length}'` : 'NULL';
        calls.push(`(${number}, '+855${number}', '${status}', ${dialedAt}, ${remoteId}, ${rest})`);
      }
    }
  }
  return { participations, calls };
}

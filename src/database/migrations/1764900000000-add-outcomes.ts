import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

/** Columns for the outcome of each participation, for the attempts of a dial plan, and for when a call ended. */
export class AddOutcomes1764900000000 implements MigrationInterface {
  readonly name = 'AddOutcomes1764900000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { whole, optionalTimestamp } = columnTypes(queryRunner);
    // A default is not written to the rows, so that this takes no time.
    const columns = {
      callouts: [`"outcomes_cursor" ${whole}`],
      callout_participations: [
        `"outcome" text NOT NULL DEFAULT 'waiting'`,
        `"attempts" ${whole} NOT NULL DEFAULT 0`,
        '"waiting_for" text',
        `"next_call_at" ${optionalTimestamp}`,
        `"last_call_at" ${optionalTimestamp}`,
      ],
      phone_calls: [`"attempt" ${whole}`, `"ended_at" ${optionalTimestamp}`],
    };
    // Tables are locked in the order in which transactions of the program lock rows.
    for (const table of ['phone_calls', 'callout_participations', 'callouts'] as const) {
      for (const column of columns[table]) await queryRunner.query(`ALTER TABLE "${table}" ADD COLUMN ${column}`);
    }
    await queryRunner.query(
      'CREATE INDEX "callouts_outcomes_cursor" ON "callouts" ("id") WHERE "outcomes_cursor" IS NOT NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "callouts_outcomes_cursor"');
    const columns = {
      phone_calls: ['ended_at', 'attempt'],
      callout_participations: ['last_call_at', 'next_call_at', 'waiting_for', 'attempts', 'outcome'],
      callouts: ['outcomes_cursor'],
    };
    for (const [table, names] of Object.entries(columns)) {
      for (const name of names) await queryRunner.query(`ALTER TABLE "${table}" DROP COLUMN "${name}"`);
    }
  }
}

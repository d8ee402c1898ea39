import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';
import { setNullable } from './nullability.js';

/** A callout can be paused by the program, with the reason. A phone call from an unknown number has no contact. */
export class HoldCalloutsAndTakeUnknownCallers1764610000000 implements MigrationInterface {
  readonly name = 'HoldCalloutsAndTakeUnknownCallers1764610000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { whole, optionalTimestamp } = columnTypes(queryRunner);
    const columns = [
      '"held_because" text',
      '"held_code" text',
      `"trial_began_at" ${optionalTimestamp}`,
      '"trial_code" text',
      `"trial_refusals" ${whole} NOT NULL DEFAULT 0`,
    ];
    for (const column of columns) await queryRunner.query(`ALTER TABLE "callouts" ADD COLUMN ${column}`);
    await queryRunner.query('ALTER TABLE "phone_calls" ADD COLUMN "refusal_code" text');
    await setNullable(queryRunner, 'phone_calls', 'contact_id', whole, true);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const { whole } = columnTypes(queryRunner);
    const unknown = 'SELECT "id" FROM "phone_calls" WHERE "contact_id" IS NULL';
    await queryRunner.query(`DELETE FROM "remote_phone_call_events" WHERE "phone_call_id" IN (${unknown})`);
    await queryRunner.query('DELETE FROM "phone_calls" WHERE "contact_id" IS NULL');
    await setNullable(queryRunner, 'phone_calls', 'contact_id', whole, false);
    await queryRunner.query('ALTER TABLE "phone_calls" DROP COLUMN "refusal_code"');
    for (const column of ['held_because', 'held_code', 'trial_began_at', 'trial_code', 'trial_refusals']) {
      await queryRunner.query(`ALTER TABLE "callouts" DROP COLUMN "${column}"`);
    }
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndex } from './concurrent-index.js';

/** Indexes of numbers and opt-outs. Databases of earlier versions already have them, from the previous migration. */
export class IndexNumbersAndOptOuts1764210000000 implements MigrationInterface {
  readonly name = 'IndexNumbersAndOptOuts1764210000000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await createIndex(queryRunner, 'phone_calls_msisdn', '"phone_calls" ("msisdn")');
    await createIndex(
      queryRunner,
      'contacts_do_not_call',
      `"contacts" ("id") WHERE ("metadata" -> 'do_not_call') IS NOT NULL`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "contacts_do_not_call"');
    await queryRunner.query('DROP INDEX "phone_calls_msisdn"');
  }
}

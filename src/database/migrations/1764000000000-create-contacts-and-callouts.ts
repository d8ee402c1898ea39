import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

export class CreateContactsAndCallouts1764000000000 implements MigrationInterface {
  readonly name = 'CreateContactsAndCallouts1764000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { postgres, id, whole, jsonObject, timestamp, optionalTimestamp } = columnTypes(queryRunner);
    const statements = [
      `CREATE TABLE "contacts" (
        "id" ${id},
        "msisdn" text NOT NULL,
        "metadata" ${jsonObject},
        "created_at" ${timestamp},
        "updated_at" ${timestamp}
      )`,
      `CREATE UNIQUE INDEX "contacts_msisdn_key" ON "contacts" ("msisdn")`,

      `CREATE TABLE "callouts" (
        "id" ${id},
        "status" text NOT NULL,
        "call_flow_logic" text,
        "metadata" ${jsonObject},
        "created_at" ${timestamp},
        "updated_at" ${timestamp}
      )`,

      `CREATE TABLE "batch_operations" (
        "id" ${id},
        "callout_id" ${whole},
        "parameters" ${jsonObject},
        "metadata" ${jsonObject},
        "status" text NOT NULL,
        "created_at" ${timestamp},
        "updated_at" ${timestamp},
        "type" text NOT NULL,
        "error" text,
        "processed" ${whole} NOT NULL DEFAULT 0,
        "total" ${whole},
        "cursor" ${whole} NOT NULL DEFAULT 0,
        "attempts" ${whole} NOT NULL DEFAULT 0,
        "lease_token" text,
        "leased_until" ${optionalTimestamp},
        CONSTRAINT "batch_operations_callout_id_fkey" FOREIGN KEY ("callout_id") REFERENCES "callouts" ("id") ON DELETE RESTRICT ON UPDATE NO ACTION
      )`,
      `CREATE INDEX "batch_operations_callout_id" ON "batch_operations" ("callout_id")`,
      `CREATE INDEX "batch_operations_to_do" ON "batch_operations" ("id") WHERE "status" IN ('queued', 'running')`,

      `CREATE TABLE "callout_participations" (
        "id" ${id},
        "callout_id" ${whole} NOT NULL,
        "contact_id" ${whole} NOT NULL,
        "callout_population_id" ${whole},
        "msisdn" text NOT NULL,
        "call_flow_logic" text,
        "metadata" ${jsonObject},
        "created_at" ${timestamp},
        "updated_at" ${timestamp},
        CONSTRAINT "callout_participations_callout_id_fkey" FOREIGN KEY ("callout_id") REFERENCES "callouts" ("id") ON DELETE RESTRICT ON UPDATE NO ACTION,
        CONSTRAINT "callout_participations_contact_id_fkey" FOREIGN KEY ("contact_id") REFERENCES "contacts" ("id") ON DELETE RESTRICT ON UPDATE NO ACTION,
        CONSTRAINT "callout_participations_callout_population_id_fkey" FOREIGN KEY ("callout_population_id") REFERENCES "batch_operations" ("id") ON DELETE RESTRICT ON UPDATE NO ACTION
      )`,
      `CREATE UNIQUE INDEX "callout_participations_callout_id_contact_id_key"
        ON "callout_participations" ("callout_id", "contact_id")`,
      `CREATE UNIQUE INDEX "callout_participations_callout_id_msisdn_key"
        ON "callout_participations" ("callout_id", "msisdn")`,
      `CREATE INDEX "callout_participations_contact_id" ON "callout_participations" ("contact_id")`,
      `CREATE INDEX "callout_participations_callout_population_id"
        ON "callout_participations" ("callout_population_id")`,
    ];
    if (postgres) {
      statements.push(`CREATE INDEX "contacts_metadata" ON "contacts" USING gin ("metadata" jsonb_path_ops)`);
    }
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['callout_participations', 'batch_operations', 'callouts', 'contacts']) {
      await queryRunner.query(`DROP TABLE "${table}"`);
    }
  }
}

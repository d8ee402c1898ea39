import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';
import { foreignKey } from './foreign-key.js';

export class CreatePhoneCalls1764100000000 implements MigrationInterface {
  readonly name = 'CreatePhoneCalls1764100000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { id, whole, jsonObject, timestamp, optionalTimestamp } = columnTypes(queryRunner);
    const statements = [
      `CREATE TABLE "phone_calls" (
        "id" ${id},
        "callout_participation_id" ${whole},
        "contact_id" ${whole} NOT NULL,
        "create_batch_operation_id" ${whole},
        "queue_batch_operation_id" ${whole},
        "queue_remote_fetch_batch_operation_id" ${whole},
        "status" text NOT NULL,
        "msisdn" text NOT NULL,
        "remote_call_id" text,
        "remote_status" text,
        "remote_direction" text,
        "remote_error_message" text,
        "metadata" ${jsonObject},
        "remote_response" ${jsonObject},
        "remote_request_params" ${jsonObject},
        "remote_queue_response" ${jsonObject},
        "call_flow_logic" text,
        "remotely_queued_at" ${optionalTimestamp},
        "created_at" ${timestamp},
        "updated_at" ${timestamp},
        "callout_id" ${whole},
        "lease_token" text,
        "leased_until" ${optionalTimestamp},
        "dialled_at" ${optionalTimestamp},
        "refusals" ${whole} NOT NULL DEFAULT 0,
        "sequence_number" ${whole},
        "check_at" ${optionalTimestamp},
        "checks" ${whole} NOT NULL DEFAULT 0,
        ${foreignKey('phone_calls', 'callout_participation_id', 'callout_participations')},
        ${foreignKey('phone_calls', 'contact_id', 'contacts')},
        ${foreignKey('phone_calls', 'create_batch_operation_id', 'batch_operations')},
        ${foreignKey('phone_calls', 'queue_batch_operation_id', 'batch_operations')},
        ${foreignKey('phone_calls', 'queue_remote_fetch_batch_operation_id', 'batch_operations')},
        ${foreignKey('phone_calls', 'callout_id', 'callouts')}
      )`,
      `CREATE UNIQUE INDEX "phone_calls_remote_call_id_key" ON "phone_calls" ("remote_call_id")`,
      `CREATE INDEX "phone_calls_callout_participation_id" ON "phone_calls" ("callout_participation_id", "id")`,
      `CREATE INDEX "phone_calls_callout_id_status" ON "phone_calls" ("callout_id", "status")`,
      `CREATE INDEX "phone_calls_contact_id" ON "phone_calls" ("contact_id")`,
      `CREATE INDEX "phone_calls_create_batch_operation_id" ON "phone_calls" ("create_batch_operation_id")`,
      `CREATE INDEX "phone_calls_queue_batch_operation_id" ON "phone_calls" ("queue_batch_operation_id")`,
      `CREATE INDEX "phone_calls_queue_remote_fetch_batch_operation_id"
        ON "phone_calls" ("queue_remote_fetch_batch_operation_id")`,
      `CREATE INDEX "phone_calls_to_dial" ON "phone_calls" ("callout_id", "id") WHERE "status" = 'queued'`,
      `CREATE INDEX "phone_calls_to_check" ON "phone_calls" ("check_at") WHERE "check_at" IS NOT NULL`,
      `CREATE INDEX "phone_calls_dialling" ON "phone_calls" ("leased_until") WHERE "lease_token" IS NOT NULL`,

      `CREATE TABLE "remote_phone_call_events" (
        "id" ${id},
        "phone_call_id" ${whole} NOT NULL,
        "details" ${jsonObject},
        "metadata" ${jsonObject},
        "remote_call_id" text NOT NULL,
        "remote_direction" text,
        "call_flow_logic" text NOT NULL,
        "created_at" ${timestamp},
        "updated_at" ${timestamp},
        "delivery" text NOT NULL,
        "twiml" text NOT NULL,
        ${foreignKey('remote_phone_call_events', 'phone_call_id', 'phone_calls')}
      )`,
      `CREATE UNIQUE INDEX "remote_phone_call_events_delivery_key" ON "remote_phone_call_events" ("delivery")`,
      `CREATE INDEX "remote_phone_call_events_phone_call_id" ON "remote_phone_call_events" ("phone_call_id")`,

      `CREATE TABLE "paces" (
        "name" text PRIMARY KEY NOT NULL,
        "next_at" ${whole} NOT NULL DEFAULT 0,
        "paused_until" ${whole} NOT NULL DEFAULT 0,
        "reason" text,
        "pauses" integer NOT NULL DEFAULT 0
      )`,
      `INSERT INTO "paces" ("name") VALUES ('dial'), ('fetch')`,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['paces', 'remote_phone_call_events', 'phone_calls']) {
      await queryRunner.query(`DROP TABLE "${table}"`);
    }
  }
}

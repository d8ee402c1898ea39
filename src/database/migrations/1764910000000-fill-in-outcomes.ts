import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndex } from './concurrent-index.js';
import { fillIn } from './fill-in.js';

const ENDED = `('busy', 'failed', 'not_answered', 'canceled', 'completed', 'errored')`;
const CALLING = `('queued', 'remotely_queued', 'remote_fetch_queued', 'in_progress')`;

/** The message of a call that was canceled because its person had opted out (outcomes/opted-out-message.ts). */
const OPTED_OUT = 'The person has asked for no more calls: nobody was called.';

/** The condition that the provider detected a machine. */
const IS_MACHINE = `(coalesce(CAST("call_flow_state" ->> 'machine' AS text), '') IN ('true', '1')
  OR coalesce("metadata" ->> 'answered_by', '') = 'fax'
  OR substr(coalesce("metadata" ->> 'answered_by', ''), 1, 8) = 'machine_')`;

/** The condition that a call was canceled before it was dialed. */
const IS_CANCELED_BEFORE_DIAL = `("status" = 'canceled' AND "dialled_at" IS NULL AND "remote_call_id" IS NULL)`;

/** The condition that a call has come to something. */
const HAS_RESULT = `("status" IN ${ENDED} AND NOT ${IS_CANCELED_BEFORE_DIAL})`;

/** The condition that a call was dialed. */
const IS_DIALED = `("dialled_at" IS NOT NULL AND "status" <> 'queued')`;

const any = (condition: string): string => `max(CASE WHEN ${condition} THEN 1 ELSE 0 END)`;

/** Computes the outcomes of the participations between two ids, as outcomes/outcome.ts does. */
const fillInOutcomes = (first: number, last: number): string => `
  WITH "summary" AS (
    SELECT "callout_participation_id" AS "id",
      count(CASE WHEN ${IS_DIALED} THEN 1 END) AS "attempts",
      max(CASE WHEN ${IS_DIALED} THEN "dialled_at" END) AS "last_call_at",
      ${any(`"status" = 'completed' AND NOT ${IS_MACHINE}`)} AS "answered",
      ${any(`"status" IN ${CALLING}`)} AS "calling",
      ${any(`"status" = 'uncertain'`)} AS "uncertain",
      max(CASE WHEN ${HAS_RESULT} THEN "id" END) AS "result_id",
      max(CASE WHEN ${IS_CANCELED_BEFORE_DIAL} THEN "id" END) AS "canceled_id"
    FROM "phone_calls" WHERE "callout_participation_id" BETWEEN ${first} AND ${last}
    GROUP BY "callout_participation_id"
  ), "computed" AS (
    SELECT "participations"."id", coalesce("summary"."attempts", 0) AS "attempts", "summary"."last_call_at",
      CASE
        WHEN coalesce("participations"."metadata" ->> 'confirmed_at', '') <> '' THEN 'confirmed'
        WHEN "summary"."answered" = 1 THEN 'answered'
        WHEN "summary"."calling" = 1 THEN 'calling'
        WHEN "summary"."uncertain" = 1 THEN 'uncertain'
        WHEN "result"."status" = 'completed' THEN 'machine'
        WHEN "result"."id" IS NOT NULL THEN "result"."status"
        WHEN "canceled"."remote_error_message" = '${OPTED_OUT}' THEN 'opted_out'
        WHEN "callouts"."status" = 'stopped' OR "canceled"."id" IS NOT NULL THEN 'canceled'
        ELSE 'waiting'
      END AS "outcome"
    FROM "callout_participations" AS "participations"
    JOIN "callouts" ON "callouts"."id" = "participations"."callout_id"
    LEFT JOIN "summary" ON "summary"."id" = "participations"."id"
    LEFT JOIN "phone_calls" AS "result" ON "result"."id" = "summary"."result_id"
    LEFT JOIN "phone_calls" AS "canceled" ON "canceled"."id" = "summary"."canceled_id"
    WHERE "participations"."id" BETWEEN ${first} AND ${last}
  )
  UPDATE "callout_participations"
  SET "outcome" = "computed"."outcome", "attempts" = "computed"."attempts", "last_call_at" = "computed"."last_call_at"
  FROM "computed" WHERE "computed"."id" = "callout_participations"."id"
    AND ("computed"."outcome" <> 'waiting' OR "computed"."attempts" > 0)`;

/** The time of the last change is the best that is known. */
const fillInEnds = (first: number, last: number): string => `
  UPDATE "phone_calls" SET "ended_at" = "updated_at"
  WHERE "id" BETWEEN ${first} AND ${last} AND "status" IN ${ENDED} AND "ended_at" IS NULL`;

/** Fills in the columns of the previous migration, and creates their indexes. It can be interrupted and repeated. */
export class FillInOutcomes1764910000000 implements MigrationInterface {
  readonly name = 'FillInOutcomes1764910000000';
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await fillIn(queryRunner, 'phone_calls', fillInEnds);
    await fillIn(queryRunner, 'callout_participations', fillInOutcomes);
    await createIndex(
      queryRunner,
      'callout_participations_due',
      `"callout_participations" ("callout_id", "next_call_at", "id") WHERE "outcome" IN ('waiting', 'retrying')`,
    );
    await createIndex(
      queryRunner,
      'callout_participations_callout_id_outcome',
      '"callout_participations" ("callout_id", "outcome", "id")',
    );
    await createIndex(
      queryRunner,
      'phone_calls_participation_attempt',
      '"phone_calls" ("callout_participation_id", "attempt")',
      { unique: true },
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "phone_calls_participation_attempt"');
    await queryRunner.query('DROP INDEX "callout_participations_callout_id_outcome"');
    await queryRunner.query('DROP INDEX "callout_participations_due"');
  }
}

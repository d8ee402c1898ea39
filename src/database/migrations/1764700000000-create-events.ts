import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from './column-types.js';

/** A trigger that writes one event for each row that it fires for. */
interface EventTrigger {
  name: string;
  /** For example `UPDATE OF "status"`. */
  operation: string;
  table: string;
  /** The condition on `NEW`, and on `OLD` after an update. */
  when: string;
  /** The type of the event, as an SQL expression. */
  type: string;
  resourceType: string;
  /** The keys of `changes`, with their values as SQL expressions. */
  changes: Record<string, string>;
}

/** The tables whose changes of status create events, and the columns that these events include. */
const resources = [
  {
    table: 'phone_calls',
    resourceType: 'phone_call',
    ids: ['callout_id', 'callout_participation_id', 'contact_id'],
  },
  { table: 'callouts', resourceType: 'callout', ids: [] },
  { table: 'batch_operations', resourceType: 'batch_operation', ids: ['callout_id'] },
];

const [CALLS, ...OTHERS] = resources;

/** White space and the spellings of "no" as `contacts/opted-out.ts` reads them. */
const WHITE_SPACE =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';
const NOT_OPTED_OUT = `('', 'false', '0', 'f', 'no', 'off')`;

/** The condition that a contact has opted out. It is never null. */
const hasOptedOut = (row: 'OLD' | 'NEW'): string =>
  `((${row}."metadata" -> 'do_not_call') IS NOT NULL AND coalesce(
    lower(trim(CAST(${row}."metadata" ->> 'do_not_call' AS text), '${WHITE_SPACE}')), '') NOT IN ${NOT_OPTED_OUT})`;

/**
 * Events: what happened to callouts, batch operations, phone calls and contacts. Triggers write them (docs/adr/0004).
 */
export class CreateEvents1764700000000 implements MigrationInterface {
  readonly name = 'CreateEvents1764700000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { postgres, id, whole, timestamp } = columnTypes(queryRunner);
    const statements = [
      `CREATE TABLE "events" (
        "id" ${id},
        "type" text NOT NULL,
        "resource_type" text NOT NULL,
        "resource_id" ${whole} NOT NULL,
        "changes" ${postgres ? 'jsonb' : 'text'} NOT NULL,
        "created_at" ${timestamp}
      )`,
      'CREATE INDEX "events_resource" ON "events" ("resource_type", "resource_id", "id")',
      ...(postgres ? [createHoldEventIds, ...createCallsTrigger()] : []),
      ...eventTriggers(postgres).flatMap((trigger) => createTrigger(trigger, postgres)),
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const { postgres } = columnTypes(queryRunner);
    const triggers = eventTriggers(postgres).map(({ name, table }) => ({ name, table }));
    if (postgres) triggers.push({ name: 'phone_calls_status_events', table: 'phone_calls' });
    for (const { name, table } of triggers) {
      await queryRunner.query(`DROP TRIGGER "${name}"${postgres ? ` ON "${table}"` : ''}`);
      if (postgres) await queryRunner.query(`DROP FUNCTION "${name}"()`);
    }
    if (postgres) await queryRunner.query('DROP FUNCTION "hold_event_ids"()');
    await queryRunner.query('DROP TABLE "events"');
  }
}

/**
 * The triggers that fire for each row. Their tables are locked in the order in which transactions of the program lock
 * rows, so that the migration and such a transaction never wait for each other.
 */
function eventTriggers(postgres: boolean): EventTrigger[] {
  const inserted: EventTrigger = {
    name: 'phone_calls_insert_events',
    operation: 'INSERT',
    table: 'phone_calls',
    // An inbound call is already in progress when it is inserted.
    when: `NEW."status" <> 'created'`,
    ...statusEvent(CALLS!, 'NULL'),
  };
  const moved = (postgres ? OTHERS : resources).map((resource) => ({
    name: `${resource.table}_status_events`,
    operation: 'UPDATE OF "status"',
    table: resource.table,
    when: 'OLD."status" <> NEW."status"',
    ...statusEvent(resource, 'OLD."status"'),
  }));
  const { array } = jsonFunctions(postgres);
  const wish = (row: string): string => `${row}."metadata" -> 'do_not_call'`;
  const contact = (name: string, operation: string, type: string, when: string, before: string): EventTrigger => ({
    name: `contacts_${name}_events`,
    operation,
    table: 'contacts',
    when,
    type: `'contact.${type}'`,
    resourceType: 'contact',
    changes: { do_not_call: `${array}(${before}, ${wish('NEW')})` },
  });
  const changed = 'UPDATE OF "metadata"';
  return [
    inserted,
    contact('insert', 'INSERT', 'opted_out', hasOptedOut('NEW'), 'NULL'),
    contact('opted_out', changed, 'opted_out', `${hasOptedOut('NEW')} AND NOT ${hasOptedOut('OLD')}`, wish('OLD')),
    contact('opted_in', changed, 'opted_in', `${hasOptedOut('OLD')} AND NOT ${hasOptedOut('NEW')}`, wish('OLD')),
    ...moved,
  ];

  function statusEvent({ resourceType, ids }: (typeof resources)[number], before: string) {
    const changes = {
      status: `${jsonFunctions(postgres).array}(${before}, NEW."status")`,
      ...Object.fromEntries(ids.map((column) => [column, `NEW."${column}"`])),
    };
    return { type: `'${resourceType}.' || NEW."status"`, resourceType, changes };
  }
}

function createTrigger(
  { name, operation, table, when, type, resourceType, changes }: EventTrigger,
  postgres: boolean,
): string[] {
  const fires = `CREATE TRIGGER "${name}" AFTER ${operation} ON "${table}" FOR EACH ROW WHEN (${when})`;
  const insert = `INSERT INTO "events" ("type", "resource_type", "resource_id", "changes")
    VALUES (${type}, '${resourceType}', NEW."id", ${objectOf(changes, postgres)});`;
  if (!postgres) return [`${fires} BEGIN ${insert} END`];
  return [createFunction(name, insert), `${fires} EXECUTE FUNCTION "${name}"()`];
}

/**
 * The trigger for updates of phone calls on PostgreSQL. A batch updates thousands of calls in one statement, and one
 * insert for all of them takes a third of the time of one insert each. The insert is planned at its first use, perhaps
 * for one row, and the plan is kept: with thousands of rows, a nested loop would take seconds.
 */
function createCallsTrigger(): string[] {
  const { table, resourceType, ids } = CALLS!;
  const changes = {
    status: 'jsonb_build_array("before"."status", "after"."status")',
    ...Object.fromEntries(ids.map((column) => [column, `"after"."${column}"`])),
  };
  const insert = `INSERT INTO "events" ("type", "resource_type", "resource_id", "changes")
    SELECT '${resourceType}.' || "after"."status", '${resourceType}', "after"."id", ${objectOf(changes, true)}
    FROM "before" JOIN "after" USING ("id") WHERE "before"."status" <> "after"."status" ORDER BY "id";`;
  const name = `${table}_status_events`;
  return [
    createFunction(name, insert, 'SET enable_nestloop = off'),
    `CREATE TRIGGER "${name}" AFTER UPDATE ON "${table}" REFERENCING OLD TABLE AS "before" NEW TABLE AS "after"
      FOR EACH STATEMENT EXECUTE FUNCTION "${name}"()`,
  ];
}

function createFunction(name: string, insert: string, setting = ''): string {
  return `CREATE FUNCTION "${name}"() RETURNS trigger LANGUAGE plpgsql ${setting} AS $$
    BEGIN
      PERFORM "hold_event_ids"();
      ${insert}
      RETURN NULL;
    END $$`;
}

/**
 * The function that runs before a transaction takes its first event id. It locks the last id that was taken, once,
 * until the transaction ends: readers wait for the events after that id (events/events.service.ts). The setting that
 * remembers the lock ends with it, at the end of the transaction or by a rollback to a savepoint.
 */
const createHoldEventIds = `CREATE FUNCTION "hold_event_ids"() RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    IF coalesce(current_setting('scfm.holds_event_ids', true), '') <> 'yes' THEN
      PERFORM pg_advisory_xact_lock_shared((7201::bigint << 48) + "last_value") FROM "events_id_seq";
      PERFORM set_config('scfm.holds_event_ids', 'yes', true);
    END IF;
  END $$`;

function objectOf(values: Record<string, string>, postgres: boolean): string {
  const entries = Object.entries(values).map(([key, value]) => `'${key}', ${value}`);
  return `${jsonFunctions(postgres).object}(${entries.join(', ')})`;
}

function jsonFunctions(postgres: boolean): { object: string; array: string } {
  return postgres
    ? { object: 'jsonb_build_object', array: 'jsonb_build_array' }
    : { object: 'json_object', array: 'json_array' };
}

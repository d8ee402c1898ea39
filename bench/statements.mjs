// The baselines of everything that touches many rows: one hand-written statement each. The seed uses them, too.

const PROVINCES = [
  'Battambang',
  'Kampong Cham',
  'Kampong Thom',
  'Kampot',
  'Kandal',
  'Kratie',
  'Phnom Penh',
  'Pursat',
  'Siem Reap',
  'Takeo',
];

/** The ids of the seed's batch operations. */
const POPULATION = 1;
const CREATION = 2;
const QUEUEING = 3;

/** The province that filters select: a tenth of the contacts. */
export const PROVINCE = 'Pursat';

/** The `remote_request_params` of created calls. */
export const REQUEST = { from: '2442' };

const dialects = {
  postgres: {
    numbers: (count) => `SELECT n FROM generate_series(0, ${count - 1}) AS n`,
    object: 'jsonb_build_object',
    now: 'clock_timestamp()',
    later: (seconds) => `clock_timestamp() + interval '${seconds} seconds'`,
    json: '::jsonb',
    inProvince: `metadata @> '{"province":"${PROVINCE}"}'`,
    padded: `lpad(id::text, 32, '0')`,
    milliseconds: (column) => `extract(epoch FROM ${column}) * 1000`,
    timestamp: (milliseconds) => `to_timestamp((${milliseconds}) / 1000.0)`,
  },
  sqlite: {
    numbers: (count) =>
      `WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < ${count - 1}) SELECT n FROM series`,
    object: 'json_object',
    now: `strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`,
    later: (seconds) => `strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+${seconds} seconds')`,
    json: '',
    inProvince: `metadata ->> 'province' = '${PROVINCE}'`,
    padded: `printf('%032d', id)`,
    milliseconds: (column) => `unixepoch(${column}, 'subsec') * 1000`,
    timestamp: (milliseconds) => `strftime('%Y-%m-%dT%H:%M:%fZ', (${milliseconds}) / 1000.0, 'unixepoch')`,
  },
};

/** @returns the statements in the dialect of a database */
export function statementsOf({ dialect }) {
  const { numbers, object, now, later, json, inProvince, padded, milliseconds, timestamp } = dialects[dialect];
  const markCalling = `UPDATE callout_participations
    SET outcome = 'calling', next_call_at = NULL, waiting_for = NULL, updated_at = ${now} WHERE callout_id = 1`;
  const accepted = `UPDATE phone_calls
    SET status = 'remotely_queued', remote_status = 'queued', remote_direction = 'outbound-api', dialled_at = ${now},
      remote_call_id = 'CA' || ${padded}, remotely_queued_at = ${now}, check_at = ${later(3_600)}`;
  const plan = (request) => `UPDATE callouts
    SET dial_plan = '${JSON.stringify({ remote_request_params: request, max_attempts: 1 })}'${json} WHERE id = 1`;
  // A hundred people are called in a second, from 1 November 2026 on, and called again a quarter of an hour later.
  const dialedAt = (attempt) => timestamp(`1793491200000 + 10 * id + 900000 * ${attempt - 1}`);
  const calledTwice = 'id % 10 > 6';
  const ended = (
    attempt,
    condition,
  ) => `INSERT INTO phone_calls (callout_participation_id, callout_id, contact_id, msisdn,
      status, remote_request_params, attempt, remote_call_id, dialled_at, remotely_queued_at, ended_at)
    SELECT id, callout_id, contact_id, msisdn, CASE WHEN id % 10 < 6 THEN 'completed' ELSE 'not_answered' END,
      '${JSON.stringify(REQUEST)}'${json}, ${attempt}, 'CA${attempt}' || ${padded}, ${dialedAt(attempt)},
      ${dialedAt(attempt)}, ${dialedAt(attempt)} FROM callout_participations WHERE callout_id = 1 AND ${condition}`;
  const province = PROVINCES.map((name, index) => `WHEN ${index} THEN '${name}'`).join(' ');
  return {
    // The simulator forces an outcome for numbers that end in 99xx, so none does.
    makeContacts: (count) => `INSERT INTO contacts (msisdn, metadata)
      SELECT '+85512' || (1000000 + n + n / 9900 * 100), ${object}('name', 'Person ' || n, 'language',
        CASE n % 3 WHEN 0 THEN 'en' ELSE 'km' END, 'province', CASE n % 10 ${province} END)
      FROM (${numbers(count)}) AS numbers`,

    // The program leaves out contacts that opted out, so the baseline has the same condition.
    populate: (
      condition = 'TRUE',
    ) => `INSERT INTO callout_participations (callout_id, contact_id, callout_population_id, msisdn)
      SELECT 1, id, ${POPULATION}, msisdn FROM contacts
      WHERE ${condition} AND ((metadata -> 'do_not_call') IS NULL OR (metadata -> 'do_not_call') IN ('null', 'false'))`,
    inProvince,

    createCalls: () => `INSERT INTO phone_calls
        (callout_participation_id, callout_id, contact_id, msisdn, status, remote_request_params, create_batch_operation_id)
      SELECT id, callout_id, contact_id, msisdn, 'created', '${JSON.stringify(REQUEST)}'${json}, ${CREATION}
      FROM callout_participations WHERE callout_id = 1`,

    queueCalls: () => [
      `UPDATE phone_calls
        SET status = 'queued', refusals = 0, leased_until = NULL, queue_batch_operation_id = ${QUEUEING}, updated_at = ${now}
        WHERE callout_id = 1 AND status = 'created'`,
      markCalling,
    ],

    /** Creates the calls to all participants, which have ended, and their outcomes. */
    callEveryone: () => [
      ended(1, 'TRUE'),
      ended(2, calledTwice),
      `UPDATE callout_participations SET attempts = CASE WHEN ${calledTwice} THEN 2 ELSE 1 END,
        first_call_at = ${dialedAt(1)},
        last_call_at = CASE WHEN ${calledTwice} THEN ${dialedAt(2)} ELSE ${dialedAt(1)} END,
        outcome = CASE WHEN id % 10 < 4 THEN 'confirmed' WHEN id % 10 < 6 THEN 'answered'
          WHEN id % 10 = 9 THEN 'retrying'
          ELSE 'not_answered' END, next_call_at = CASE WHEN id % 10 = 9 THEN ${later(36_000)} END WHERE callout_id = 1`,
    ],

    /** Queues the next `count` calls with these request parameters. They are dialed once their callout runs. */
    queueSome: (count, request) => [
      `UPDATE phone_calls SET status = 'queued', remote_request_params = '${JSON.stringify(request)}'${json}
        WHERE id IN (SELECT id FROM phone_calls WHERE status = 'created' ORDER BY id LIMIT ${count})`,
      `UPDATE callout_participations SET outcome = 'calling' WHERE id IN (
        SELECT callout_participation_id FROM phone_calls WHERE status = 'queued')`,
    ],

    /** Gives the callout a dial plan, which calls the next `count` people once the callout runs. */
    planSome: (count, request) => [
      plan(request),
      `UPDATE callout_participations SET outcome = 'canceled' WHERE outcome = 'waiting'`,
      `UPDATE callout_participations SET outcome = 'waiting' WHERE id IN (
        SELECT id FROM callout_participations WHERE outcome = 'canceled' ORDER BY id LIMIT ${count})`,
    ],

    /** Gives the callout a dial plan, which calls everybody. The callout runs. */
    planAll: (request) => [plan(request), `UPDATE callouts SET status = 'running' WHERE id = 1`],

    /** The baseline of the attempts of a dial plan. */
    makeAttempts: () => [
      `INSERT INTO phone_calls
          (callout_participation_id, callout_id, contact_id, msisdn, status, remote_request_params, attempt)
        SELECT id, callout_id, contact_id, msisdn, 'queued', '${JSON.stringify(REQUEST)}'${json}, 1
        FROM callout_participations WHERE callout_id = 1`,
      markCalling,
    ],

    /** Marks the queued calls as accepted by the provider. */
    dialQueued: () => `${accepted} WHERE status = 'queued'`,

    /** Marks all calls as accepted by the provider. They are not polled for an hour. */
    takeCalls: () => [accepted, markCalling],

    /** A timestamp column as milliseconds since 1970. */
    milliseconds,
  };
}

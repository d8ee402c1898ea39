// The floors of everything that touches many rows: what one would write by hand, one statement each. The seed is made of them, too.

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

/** The ids of the batch operations that the seed made, for rows that refer to one. */
const POPULATION = 1;
const CREATION = 2;
const QUEUEING = 3;

/** The province that filters ask for: a tenth of the contacts. */
export const PROVINCE = 'Pursat';

/** What calls are created with. */
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
  },
};

/** The statements, in the words of a database. */
export function statementsOf({ dialect }) {
  const { numbers, object, now, later, json, inProvince, padded, milliseconds } = dialects[dialect];
  const province = PROVINCES.map((name, index) => `WHEN ${index} THEN '${name}'`).join(' ');
  return {
    // No number ends in 99xx: those digits force what the simulator does.
    makeContacts: (count) => `INSERT INTO contacts (msisdn, metadata)
      SELECT '+85512' || (1000000 + n + n / 9900 * 100), ${object}('name', 'Person ' || n, 'language',
        CASE n % 3 WHEN 0 THEN 'en' ELSE 'km' END, 'province', CASE n % 10 ${province} END)
      FROM (${numbers(count)}) AS numbers`,

    // Whoever wants no calls is not among the rows that the program adds: the same condition, by hand.
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

    queueCalls: () => `UPDATE phone_calls
      SET status = 'queued', refusals = 0, leased_until = NULL, queue_batch_operation_id = ${QUEUEING}, updated_at = ${now}
      WHERE callout_id = 1 AND status = 'created'`,

    /** The next calls that say this and report to there, ready to be dialled once their callout runs. */
    prepareDialling: (count, request) => `UPDATE phone_calls
      SET status = 'queued', remote_request_params = '${JSON.stringify(request)}'${json}
      WHERE id IN (SELECT id FROM phone_calls WHERE status = 'created' ORDER BY id LIMIT ${count})`,

    /** Calls that the provider has taken, and will not be asked after for an hour. */
    takeCalls: () => `UPDATE phone_calls
      SET status = 'remotely_queued', remote_status = 'queued', remote_direction = 'outbound-api', dialled_at = ${now},
        remote_call_id = 'CA' || ${padded}, remotely_queued_at = ${now}, check_at = ${later(3_600)}`,

    /** An instant as milliseconds since 1970. */
    milliseconds,
  };
}

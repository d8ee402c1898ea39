import Fastify from 'fastify';
import pg from 'pg';
import { openSqlite } from '../databases/sqlite.mjs';
import { handleTask } from './handle-task.mjs';

// The baseline of requests: bare Fastify routes with the database driver, prepared statements, the same SQL and the
// same JSON. There is no validation, no logging, and no header except `Total`.

const PAGE = 25;
const COLUMNS = 'id, msisdn, metadata, created_at, updated_at';
const CREATE = `INSERT INTO contacts (msisdn, metadata) VALUES ($1, $2) RETURNING ${COLUMNS}`;

/** By database: how to prepare a statement, how to present a row as the API does, and the condition of a province. */
const openers = {
  postgres: ({ url }) => {
    pg.types.setTypeParser(pg.types.builtins.INT8, Number);
    const pool = new pg.Pool({ connectionString: url, max: 10 });
    let statements = 0;
    return {
      inProvince: `metadata @> jsonb_build_object('province', $1::text)`,
      prepare: (text) => {
        const name = `statement_${++statements}`;
        return async (...values) => (await pool.query({ name, text, values })).rows;
      },
      present: (row) => row,
    };
  },
  sqlite: async ({ path }) => {
    const connection = await openSqlite(path);
    return {
      inProvince: `metadata ->> 'province' = $1`,
      prepare: (text) => {
        const statement = connection.prepare(text);
        return (...values) =>
          new Promise((resolve, reject) => {
            statement.all(values, (error, rows) => (error ? reject(error) : resolve(rows)));
          });
      },
      present: (row) => ({ ...row, metadata: JSON.parse(row.metadata) }),
    };
  },
};

handleTask(async (address) => {
  const { inProvince, prepare, present } = await openers[address.dialect](address);
  const fastify = Fastify();

  const count = prepare('SELECT count(*) AS total FROM contacts');
  const page = prepare(`SELECT ${COLUMNS} FROM contacts ORDER BY id LIMIT ${PAGE} OFFSET $1`);
  const after = prepare(`SELECT ${COLUMNS} FROM contacts WHERE id > $1 ORDER BY id LIMIT ${PAGE}`);
  const countIn = prepare(`SELECT count(*) AS total FROM contacts WHERE ${inProvince}`);
  const pageIn = prepare(`SELECT ${COLUMNS} FROM contacts WHERE ${inProvince} ORDER BY id LIMIT ${PAGE}`);
  fastify.get('/api/contacts', async ({ query }, reply) => {
    if (query.after_id) return (await after(query.after_id)).map(present);
    const { province } = query;
    const [{ total }] = province ? await countIn(province) : await count();
    const rows = province ? await pageIn(province) : await page(PAGE * ((query.page ?? 1) - 1));
    return reply.header('Total', total).send(rows.map(present));
  });

  const find = prepare(`SELECT ${COLUMNS} FROM contacts WHERE id = $1`);
  fastify.get('/api/contacts/:id', async ({ params }) => present((await find(params.id))[0]));

  const create = prepare(CREATE);
  fastify.post('/api/contacts', async ({ body }, reply) => {
    const [row] = await create(body.msisdn, JSON.stringify(body.metadata));
    return reply.status(201).send(present(row));
  });

  const outcomes = prepare(`SELECT outcome, count(*) AS people FROM callout_participations
    WHERE callout_id = $1 GROUP BY outcome`);
  const byProvince = prepare(`SELECT contacts.metadata ->> 'province' AS value, outcome, count(*) AS people
    FROM callout_participations JOIN contacts ON contacts.id = contact_id WHERE callout_id = $1 GROUP BY 1, 2`);
  fastify.get('/api/callouts/:id/coverage', ({ params, query }) =>
    query.group_by ? byProvince(params.id) : outcomes(params.id),
  );

  return { url: await fastify.listen({ port: 0, host: '127.0.0.1' }) };
});

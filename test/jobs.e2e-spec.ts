import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Body } from './support/api.js';
import { createPausedCallout, runBatchOperation, sendCalloutEvent } from './support/campaigns.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';

let installation: Installation;

beforeEach(async () => {
  installation = await Installation.create();
});
afterEach(() => installation.remove());

/**
 * Lets the database reject claims of phone calls.
 * @returns a function that allows them again
 */
async function forbidClaims(): Promise<() => Promise<void>> {
  const claims = 'OLD.lease_token IS NULL AND NEW.lease_token IS NOT NULL';
  const statements = {
    embedded: [
      `CREATE TRIGGER no_claims BEFORE UPDATE ON phone_calls WHEN ${claims} BEGIN SELECT RAISE(ABORT, 'no claims'); END`,
    ],
    cluster: [
      `CREATE FUNCTION no_claims() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no claims'; END $$`,
      `CREATE TRIGGER no_claims BEFORE UPDATE ON phone_calls FOR EACH ROW WHEN (${claims}) EXECUTE FUNCTION no_claims()`,
    ],
  };
  for (const statement of statements[way]) await installation.query(statement);
  return async () => {
    await installation.query(`DROP TRIGGER no_claims${way === 'cluster' ? ' ON phone_calls' : ''}`);
  };
}

describe('a job that fails', () => {
  it('is logged with its task, its id and the cause, and is retried until it succeeds', async () => {
    const program = await installation.start({ SIMULATOR_SPEED: '200' });
    const [contact] = await program.api.createContacts({ msisdn: '+85512009900', metadata: { group: 'a' } });
    expect(contact).toBe(1);
    const callout = await createPausedCallout(program.api, { metadata: { group: 'a' } });
    const allowClaims = await forbidClaims();
    await sendCalloutEvent(program.api, callout, 'resume');
    await eventually(() => /Job dial 1 failed: .*no claims/.test(program.output));
    await allowClaims();
    await eventually(async () => (await program.api.get('/api/phone_calls/1')).body.status === 'completed');
  });
});

describe.runIf(way === 'cluster')('a chunk that takes longer than its lease', () => {
  it('is finished by its worker: no other worker takes over the run', async () => {
    const settings = { WORK_LEASE_SECONDS: '1', SWEEP_SECONDS: '1' };
    const [{ api }] = await Promise.all([installation.start(settings), installation.start(settings)]);
    await api.createContacts(
      ...Array.from({ length: 3 }, (_, n) => ({ msisdn: `+8551200990${n}`, metadata: { a: 1 } })),
    );
    await installation.query(`CREATE SEQUENCE chunks`);
    await installation.query(
      `CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM nextval('chunks'), pg_sleep(4); RETURN NULL; END $$`,
    );
    await installation.query(
      `CREATE TRIGGER slow AFTER INSERT ON callout_participations FOR EACH STATEMENT EXECUTE FUNCTION be_slow()`,
    );
    const callout = await api.createCallout();
    const ended = await runBatchOperation(api, callout, 'CalloutPopulation');
    expect(ended).toMatchObject({ status: 'finished', progress: { processed: 3, total: 3 } });
    const [{ last_value: chunks }] = (await installation.query<Body>('SELECT last_value FROM chunks')) as [Body];
    expect(Number(chunks)).toBe(1);
  });
});

describe.runIf(way === 'cluster')('phone calls that are created for two callouts at once', () => {
  it('do not wait for each other', async () => {
    const { api } = await installation.start();
    const [contact_id] = await api.createContacts({ msisdn: '+85512009900' });
    const callouts = [await api.createCallout(), await api.createCallout()];
    for (const callout of callouts) await api.post(`/api/callouts/${callout}/callout_participations`, { contact_id });
    const [slow, quick] = callouts as [number, number];
    const database = await installation.connect();
    await database.query('SET idle_in_transaction_session_timeout = 0');
    await database.query('BEGIN');
    await database.query(`SELECT pg_advisory_xact_lock(720117002, ${slow})`);
    const params = { remote_request_params: { from: '2442' } };
    const held = runBatchOperation(api, slow, 'PhoneCallCreate', params);
    expect((await runBatchOperation(api, quick, 'PhoneCallCreate', params)).status).toBe('finished');
    await database.query('COMMIT');
    await database.close();
    expect((await held).status).toBe('finished');
  });
});

describe.runIf(way === 'cluster')('few rows among very many', () => {
  const MANY = 100_000;

  /** @returns how many rows of a table PostgreSQL has read so far, with or without an index */
  async function rowsRead(table: string): Promise<number> {
    await installation.query('SELECT pg_stat_force_next_flush()');
    const [row] = await installation.query<Body>(
      `SELECT seq_tup_read + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = '${table}') AS read
        FROM pg_stat_user_tables WHERE relname = '${table}'`,
    );
    return Number(row.read);
  }

  it('are queued, and added by a selective population, without a scan of all rows', async () => {
    const old = await (await installation.start()).api.createCallout();
    await installation.insertContacts(MANY);
    // A program that runs between the insert and ANALYZE scans the calls, and reports it late.
    await installation.killAll();
    const database = await installation.connect();
    await database.query(
      `INSERT INTO phone_calls (contact_id, callout_id, msisdn, status)
        SELECT id, ${old}, msisdn, 'completed' FROM contacts`,
    );
    await database.query('ANALYZE');
    // A backend reports what it has read up to a second late: this one must have reported before the count begins.
    await database.query('SELECT pg_stat_force_next_flush()');
    await database.close();
    const { api } = await installation.start();
    const people = await api.createContacts(
      ...Array.from({ length: 10 }, (_, n) => ({ msisdn: `+8551200000${n}`, metadata: { few: 'yes' } })),
    );
    const before = { contacts: await rowsRead('contacts'), calls: await rowsRead('phone_calls') };
    const callout = await createPausedCallout(api, { metadata: { few: 'yes' } });
    expect(await api.listIds(`/api/callouts/${callout}/contacts`)).toEqual(people);
    const everywhere = await api.post('/api/batch_operations', {
      type: 'BatchOperation::PhoneCallQueue',
      parameters: { skip_validate_preview_presence: 'true' },
    });
    await api.runBatchOperation(everywhere.body.id);
    await eventually(async () => {
      const [row] = await installation.query<Body>(
        `SELECT count(*) AS busy FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
          AND pid <> pg_backend_pid()`,
      );
      return Number(row.busy) === 0;
    });
    expect((await rowsRead('phone_calls')) - before.calls).toBeLessThan(MANY / 10);
    expect((await rowsRead('contacts')) - before.contacts).toBeLessThan(MANY / 2);
  });
});

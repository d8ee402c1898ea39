import assert from 'node:assert/strict';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

// The getting-started guide, request by request and in its order, against a program that has an empty database. Plain Node, so that it can
// also be run by hand: node test/support/guide.mjs http://127.0.0.1:3000

const PATIENCE = 60_000;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What the guide shows of each person. */
const alice = { id: 1, msisdn: '+85510202101', metadata: { name: 'Alice', gender: 'f' } };
const bob = { id: 2, msisdn: '+85510202102', metadata: { name: 'Bob', gender: 'm' } };
const ghostbusters = { id: 3, msisdn: '+85510202103', metadata: { name: 'Ghostbusters' } };
const females = { contact_filter_params: { metadata: { gender: 'f' } } };
const population = { id: 1, callout_id: 1, metadata: {} };

/** Replays the guide at `base`. @throws AssertionError at the first answer that differs from what the guide shows */
export async function replayGuide(base) {
  const call = (method, path, form) => send(base, method, path, form);

  const empty = await call('GET', '/api/contacts');
  assert.deepEqual(pick(empty), { status: 200, body: [], perPage: '25', total: '0' });
  for (const [name, value] of [
    ['x-frame-options', 'SAMEORIGIN'],
    ['x-content-type-options', 'nosniff'],
    ['content-type', 'application/json; charset=utf-8'],
  ]) {
    assert.equal(empty.headers[name], value);
  }

  // Managing contacts
  shows(await call('POST', '/api/contacts', 'msisdn=%2B85510202101'), 201, { ...alice, metadata: {} });
  empties(await call('PATCH', '/api/contacts/1', '[metadata][name]=Alice&[metadata][gender]=f'));
  shows(await call('GET', '/api/contacts/1'), 200, alice);
  shows(
    await call('POST', '/api/contacts', 'msisdn=%2B85510202102&[metadata][name]=Bob&[metadata][gender]=m'),
    201,
    bob,
  );
  shows(await call('POST', '/api/contacts', 'msisdn=%2B85510202103&metadata[name]=Ghostbusters'), 201, ghostbusters);
  lists(await call('GET', '/api/contacts'), [alice, bob, ghostbusters]);
  lists(await call('GET', '/api/contacts?q[metadata][gender]=f'), [alice]);
  empties(await call('DELETE', '/api/contacts/3'));
  const gone = await call('GET', '/api/contacts/3');
  assert.equal(gone.status, 404);
  assert.equal(gone.text, '{"status":404,"error":"Not Found"}');

  // Managing callouts
  shows(await call('POST', '/api/callouts'), 201, { id: 1, status: 'initialized', metadata: {} });

  // Populating a callout
  const created = await call('POST', '/api/callouts/1/batch_operations', 'type=BatchOperation::CalloutPopulation');
  shows(created, 201, { ...population, parameters: {}, status: 'preview' });
  lists(await call('GET', '/api/batch_operations/1/preview/contacts'), [alice, bob]);
  empties(await call('PATCH', '/api/batch_operations/1', 'parameters[contact_filter_params][metadata][gender]=f'));
  shows(await call('GET', '/api/batch_operations/1'), 200, { ...population, parameters: females, status: 'preview' });
  lists(await call('GET', '/api/batch_operations/1/preview/contacts'), [alice]);
  const queued = { ...population, parameters: females, status: 'queued' };
  shows(await call('POST', '/api/batch_operations/1/batch_operation_events', 'event=queue'), 201, queued);
  await finishes(call);
  lists(await call('GET', '/api/batch_operations/1/contacts'), [alice]);

  // Managing callout participations
  const hers = { id: 1, callout_id: 1, contact_id: 1, callout_population_id: 1, msisdn: alice.msisdn, metadata: {} };
  lists(await call('GET', '/api/callouts/1/callout_participations'), [hers]);
  lists(await call('GET', '/api/callouts/1/contacts'), [alice]);
  const his = { id: 2, callout_id: 1, contact_id: 2, callout_population_id: null, msisdn: bob.msisdn, metadata: {} };
  shows(await call('POST', '/api/callouts/1/callout_participations', 'contact_id=2'), 201, his);
  lists(await call('GET', '/api/callouts/1/contacts'), [alice, bob]);
  lists(await call('GET', '/api/callouts/1/callout_participations?q[contact_id]=1'), [hers]);
  empties(await call('DELETE', '/api/callout_participations/1'));
  lists(await call('GET', '/api/callouts/1/contacts'), [bob]);

  // Repopulating
  shows(await call('GET', '/api/batch_operations/1'), 200, { ...population, parameters: females, status: 'finished' });
  lists(await call('GET', '/api/batch_operations/1/preview/contacts'), [alice]);
  shows(await call('POST', '/api/batch_operations/1/batch_operation_events', 'event=requeue'), 201, queued);
  await finishes(call);
  lists(await call('GET', '/api/batch_operations/1/contacts'), [alice]);
  lists(await call('GET', '/api/callouts/1/contacts'), [alice, bob]);
}

async function finishes(call) {
  for (const deadline = Date.now() + PATIENCE; ; await pause(50)) {
    const shown = await call('GET', '/api/batch_operations/1');
    if (shown.body.status === 'finished') {
      return shows(shown, 200, { ...population, parameters: females, status: 'finished' });
    }
    assert.ok(['queued', 'running'].includes(shown.body.status), `the population is ${shown.body.status}`);
    assert.ok(Date.now() < deadline, `the population is still ${shown.body.status}`);
  }
}

function shows(answer, status, expected) {
  assert.equal(answer.status, status, answer.text);
  for (const [key, value] of Object.entries(expected))
    assert.deepEqual(answer.body[key], value, `${key} of ${answer.text}`);
  assert.match(answer.body.created_at, TIMESTAMP);
  assert.match(answer.body.updated_at, TIMESTAMP);
}

function lists(answer, expected) {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['per-page'], '25');
  assert.equal(answer.headers.total, String(expected.length));
  assert.equal(answer.body.length, expected.length, answer.text);
  expected.forEach((record, index) => shows({ ...answer, body: answer.body[index] }, 200, record));
}

function empties(answer) {
  assert.equal(answer.status, 204, answer.text);
  assert.equal(answer.text, '');
}

function pick({ status, body, headers }) {
  return { status, body, perPage: headers['per-page'], total: headers.total };
}

/** As curl would: brackets stay as they are written. */
function send(base, method, path, form) {
  return new Promise((resolve, reject) => {
    const headers =
      form === undefined
        ? {}
        : { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(form) };
    const { hostname, port } = new URL(base);
    const outgoing = request({ hostname, port, method, path, headers }, async (incoming) => {
      let text = '';
      for await (const part of incoming) text += part;
      resolve({
        status: incoming.statusCode,
        headers: incoming.headers,
        text,
        body: text ? JSON.parse(text) : undefined,
      });
    });
    outgoing.on('error', reject).end(form);
  });
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].split('/').pop())) {
  await replayGuide(process.argv[2]);
  console.log('The guide runs: every request got the answer that it shows.');
}

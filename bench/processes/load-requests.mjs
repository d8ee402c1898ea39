import autocannon from 'autocannon';
import { handleTask } from './handle-task.mjs';

const PROVINCES = ['Battambang', 'Kampot', 'Pursat'];

/** For each kind of request, creates the next request of a task. */
const kinds = {
  list: () => ({ method: 'GET', path: '/api/contacts' }),
  find: ({ contacts }) => ({ method: 'GET', path: `/api/contacts/${1 + Math.floor(Math.random() * contacts)}` }),
  create: (task) => ({
    method: 'POST',
    path: '/api/contacts',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      msisdn: `+85510${task.nextNumber++}`,
      metadata: { name: 'Dara', language: 'km', province: PROVINCES[task.nextNumber % PROVINCES.length] },
    }),
  }),
};

/** Sends requests of one kind on `connections` connections for `seconds`. @returns the throughput and the failures */
handleTask(async (task) => {
  const next = kinds[task.kind];
  const result = await autocannon({
    url: task.url,
    connections: task.connections,
    duration: task.seconds,
    requests: [{ ...next(task), setupRequest: (request) => ({ ...request, ...next(task) }) }],
  });
  return {
    perSecond: result['2xx'] / result.duration,
    failed: result.non2xx + result.errors + result.timeouts,
    p99: result.latency.p99,
    nextNumber: task.nextNumber,
  };
});

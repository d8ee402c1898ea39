import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { HttpClient } from './http-client.mjs';
import { handleTask } from './handle-task.mjs';

/** More than are ever in use, unless a response takes seconds. */
const CONNECTIONS = 100;

/** Reads that warm up the program and do not count. */
const WARMING = 200;

/**
 * Reads single contacts at a steady rate until the parent sends a message. Reports its start, and at the end the
 * latencies, measured from the time at which each read was due (ms).
 */
handleTask(async ({ url, perSecond, contacts }) => {
  const requests = new HttpClient(CONNECTIONS);
  const told = once(process, 'message');
  let over = false;
  const latencies = [];
  const read = async () => {
    const status = await requests.send(`${url}/api/contacts/${1 + Math.floor(Math.random() * contacts)}`);
    if (status !== 200) throw new Error(`A read had status ${status}`);
  };
  const readBy = async (due) => {
    await read();
    latencies.push(performance.now() - due);
  };
  const readOn = async () => {
    const sent = [];
    const began = performance.now();
    for (let index = 0; !over; index++) {
      const due = began + (index * 1_000) / perSecond;
      await pause(Math.max(0, due - performance.now()));
      sent.push(readBy(due));
    }
    await Promise.all(sent);
    process.send(latencies);
  };
  for (let warm = 0; warm < WARMING; warm++) await read();
  void told.then(() => (over = true));
  void readOn();
  return 'begun';
});

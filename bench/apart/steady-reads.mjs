import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Requests } from './requests.mjs';
import { answerTask } from './task.mjs';

/** More than are ever under way, unless an answer takes seconds. */
const CONNECTIONS = 100;

/** Reads by which the program warms up. They do not count. */
const WARMING = 200;

/**
 * Reads single contacts, so many a second, until it is sent a word. Answers that it has begun; then, how long the answers took, in
 * milliseconds from the time that each was due.
 */
answerTask(async ({ url, perSecond, contacts }) => {
  const requests = new Requests(CONNECTIONS);
  const told = once(process, 'message');
  let over = false;
  const latencies = [];
  const read = async () => {
    const status = await requests.send(`${url}/api/contacts/${1 + Math.floor(Math.random() * contacts)}`);
    if (status !== 200) throw new Error(`A read was answered ${status}`);
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

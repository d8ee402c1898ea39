import { Requests, FORM } from './requests.mjs';
import { answerTask } from './task.mjs';

/**
 * The floor of dialling: the same forms to the same provider, `concurrency` at once, and nothing else. The first, by which it warms up, do
 * not count. Answers the seconds that the others took.
 */
answerTask(async ({ url, authorization, forms, warming, concurrency }) => {
  const requests = new Requests(concurrency);
  const waiting = forms.map((form) => new URLSearchParams(form).toString());
  const headers = { ...FORM, Authorization: authorization };
  const lane = async (bodies) => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      const status = await requests.send(url, { method: 'POST', headers, body });
      if (status !== 201) throw new Error(`The provider answered ${status}`);
    }
  };
  const sendAll = (bodies) => Promise.all(Array.from({ length: concurrency }, () => lane(bodies)));
  await sendAll(waiting.splice(0, warming));
  const began = performance.now();
  await sendAll(waiting);
  return (performance.now() - began) / 1_000;
});

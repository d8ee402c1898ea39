import { HttpClient, FORM } from './http-client.mjs';
import { handleTask } from './handle-task.mjs';

/**
 * The baseline of dialing: sends the same forms to the same provider, `concurrency` at once. The first `warming` forms
 * warm up the provider and do not count.
 *
 * @returns how long the other forms took (s)
 */
handleTask(async ({ url, authorization, forms, warming, concurrency }) => {
  const requests = new HttpClient(concurrency);
  const waiting = forms.map((form) => new URLSearchParams(form).toString());
  const headers = { ...FORM, Authorization: authorization };
  const sendInSequence = async (bodies) => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      const status = await requests.send(url, { method: 'POST', headers, body });
      if (status !== 201) throw new Error(`The provider responded with ${status}`);
    }
  };
  const sendAll = (bodies) => Promise.all(Array.from({ length: concurrency }, () => sendInSequence(bodies)));
  await sendAll(waiting.splice(0, warming));
  const began = performance.now();
  await sendAll(waiting);
  return (performance.now() - began) / 1_000;
});

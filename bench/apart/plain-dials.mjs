import { Requests, FORM } from './requests.mjs';
import { answerTask } from './task.mjs';

/** The floor of dialling: the same forms to the same provider, `concurrency` at once, and nothing else. Answers the seconds it took. */
answerTask(async ({ url, authorization, forms, concurrency }) => {
  const requests = new Requests(concurrency);
  const waiting = forms.map((form) => new URLSearchParams(form).toString());
  const headers = { ...FORM, Authorization: authorization };
  const lane = async () => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
      const status = await requests.send(url, { method: 'POST', headers, body });
      if (status !== 201) throw new Error(`The provider answered ${status}`);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (performance.now() - began) / 1_000;
});

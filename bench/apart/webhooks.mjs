import { setTimeout as pause } from 'node:timers/promises';
import twilio from 'twilio';
import { percentile } from '../statistics.mjs';
import { FORM, Requests } from './requests.mjs';
import { answerTask } from './task.mjs';

/** Webhooks, all at once or so many a second; signed before the first is sent. Answers what failed, and how long the answers took in milliseconds. */
answerTask(async ({ events, connections, perSecond }) => {
  const requests = new Requests(connections);
  const signed = events.map(sign);
  const latencies = [];
  const failures = {};
  const send = async ({ url, ...content }, due) => {
    const outcome = await requests
      .send(url, { method: 'POST', ...content })
      .catch((error) => error.code ?? error.message);
    latencies.push(performance.now() - due);
    if (outcome !== 200 && outcome !== 201) failures[outcome] = (failures[outcome] ?? 0) + 1;
  };
  const began = performance.now();
  const sent = [];
  for (const [index, webhook] of signed.entries()) {
    // At a steady rate each has its time, and whoever is late is late from then on.
    const due = perSecond === undefined ? performance.now() : began + (index * 1_000) / perSecond;
    if (due > performance.now()) await pause(due - performance.now());
    sent.push(send(webhook, due));
  }
  await Promise.all(sent);
  return {
    failures,
    seconds: (performance.now() - began) / 1_000,
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    max: percentile(latencies, 100),
  };
});

/** As the provider does. */
function sign({ url, token, delivery, parameters }) {
  return {
    url,
    body: new URLSearchParams(parameters).toString(),
    headers: {
      ...FORM,
      'X-Twilio-Signature': twilio.getExpectedTwilioSignature(token, url, parameters),
      'I-Twilio-Idempotency-Token': delivery,
    },
  };
}

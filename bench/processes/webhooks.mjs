import { setTimeout as pause } from 'node:timers/promises';
import twilio from 'twilio';
import { percentile } from '../statistics.mjs';
import { FORM, HttpClient } from './http-client.mjs';
import { handleTask } from './handle-task.mjs';

/**
 * Sends webhooks, all at once or at a steady rate. All are signed before the first one is sent.
 *
 * @returns the failures by status or error, and the latencies (ms)
 */
handleTask(async ({ events, connections, perSecond }) => {
  const requests = new HttpClient(connections);
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
    // At a steady rate, the latency counts from the time at which a webhook is due, even if it is sent late.
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

/** Signs a webhook as the provider does. */
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

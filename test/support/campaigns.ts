import type { Api, Body } from './api.js';

/** Runs a batch operation of a callout until it ends. Returns it. */
export async function runOperation(api: Api, callout: number, type: string, parameters: object = {}): Promise<Body> {
  const path = `/api/callouts/${callout}/batch_operations`;
  const { body, text } = await api.post(path, { type: `BatchOperation::${type}`, parameters });
  if (!body.id) throw new Error(`${type}: ${text}`);
  return api.run(body.id);
}

/** Puts everybody whom a filter leaves into a new callout, paused, with a queued call for each. Returns the callout's id. */
export async function pausedCallout(api: Api, filter: object = {}, population: object = {}): Promise<number> {
  const callout = await api.callout();
  await api.post(`/api/callouts/${callout}/callout_events`, 'event=pause');
  await runOperation(api, callout, 'CalloutPopulation', { contact_filter_params: filter, ...population });
  await runOperation(api, callout, 'PhoneCallCreate', { remote_request_params: { from: '2442' } });
  await runOperation(api, callout, 'PhoneCallQueue');
  return callout;
}

/** Sends an event to a callout. */
export async function send(api: Api, callout: number, event: string): Promise<void> {
  const { status, text } = await api.post(`/api/callouts/${callout}/callout_events`, { event });
  if (status !== 201) throw new Error(`${event}: ${text}`);
}

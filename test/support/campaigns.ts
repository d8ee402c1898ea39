import type { Api, Body } from './api.js';

/**
 * Creates a batch operation of a callout and waits until it has ended.
 *
 * @param type the type without `BatchOperation::`
 * @returns the batch operation as JSON
 */
export async function runBatchOperation(
  api: Api,
  callout: number,
  type: string,
  parameters: object = {},
): Promise<Body> {
  const path = `/api/callouts/${callout}/batch_operations`;
  const { body, text } = await api.post(path, { type: `BatchOperation::${type}`, parameters });
  if (!body.id) throw new Error(`${type}: ${text}`);
  return api.runBatchOperation(body.id);
}

/**
 * Creates a paused callout that has a queued call for each contact.
 *
 * @param filter the `contact_filter_params` that choose the contacts
 * @param population further parameters of the callout population
 * @returns the callout's id
 */
export async function createPausedCallout(api: Api, filter: object = {}, population: object = {}): Promise<number> {
  const callout = await api.createCallout();
  await api.post(`/api/callouts/${callout}/callout_events`, 'event=pause');
  await runBatchOperation(api, callout, 'CalloutPopulation', { contact_filter_params: filter, ...population });
  await runBatchOperation(api, callout, 'PhoneCallCreate', { remote_request_params: { from: '2442' } });
  await runBatchOperation(api, callout, 'PhoneCallQueue');
  return callout;
}

/** Sends an event to a callout. @throws Error when the API refuses it */
export async function sendCalloutEvent(api: Api, callout: number, event: string): Promise<void> {
  const { status, text } = await api.post(`/api/callouts/${callout}/callout_events`, { event });
  if (status !== 201) throw new Error(`${event}: ${text}`);
}

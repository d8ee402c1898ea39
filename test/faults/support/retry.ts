import type { ApiResponse } from '../../support/api.js';
import { eventually } from '../../support/eventually.js';

/** Longer than anything takes that is only disturbed, in milliseconds. */
const TIMEOUT_MS = 300_000;

/** Between two looks, in milliseconds: they shall not be the load themselves. */
const INTERVAL_MS = 250;

/** Waits, for long, until `check` answers something that counts as true. */
export function waitUntil<T>(check: () => T | Promise<T>): Promise<T> {
  return eventually(check, TIMEOUT_MS, INTERVAL_MS);
}

/** Makes a request; undefined when there is no answer, or none that says that it was done. */
export async function attempt(request: () => Promise<ApiResponse>): Promise<ApiResponse | undefined> {
  const answer = await request().catch(() => undefined);
  return answer && answer.status >= 200 && answer.status < 300 ? answer : undefined;
}

/** Makes a request until it is answered well. What was not answered may have been done all the same. */
export async function retryUntilAccepted(request: () => Promise<ApiResponse>): Promise<ApiResponse> {
  return (await waitUntil(() => attempt(request)))!;
}

import type { ApiResponse } from '../../support/api.js';
import { eventually } from '../../support/eventually.js';

/** How long to wait (ms). Anything that a fault only delays is done by then. */
const TIMEOUT_MS = 300_000;

/** The pause between two checks (ms), so that checks do not load the program. */
const INTERVAL_MS = 250;

/** Polls until `check` returns a truthy value. @returns that value @throws Error after five minutes */
export function waitUntil<T>(check: () => T | Promise<T>): Promise<T> {
  return eventually(check, TIMEOUT_MS, INTERVAL_MS);
}

/** Sends a request. @returns the response, or undefined when there is none or its status is not 2xx */
export async function attempt(request: () => Promise<ApiResponse>): Promise<ApiResponse | undefined> {
  const answer = await request().catch(() => undefined);
  return answer && answer.status >= 200 && answer.status < 300 ? answer : undefined;
}

/** Sends a request until its status is 2xx. The failed attempts may have had an effect, too. */
export async function retryUntilAccepted(request: () => Promise<ApiResponse>): Promise<ApiResponse> {
  return (await waitUntil(() => attempt(request)))!;
}

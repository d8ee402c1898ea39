import { setTimeout as pause } from 'node:timers/promises';

/**
 * Polls until `check` returns a truthy value.
 *
 * @param timeoutMs how long to wait (ms)
 * @param intervalMs the pause between two checks (ms)
 * @returns the truthy value
 * @throws Error when the time is up
 */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 60_000, intervalMs = 20): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; ; await pause(intervalMs)) {
    const result = await check();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`Timed out waiting for: ${check.toString()}`);
  }
}

import { setTimeout as pause } from 'node:timers/promises';

/**
 * Waits until `check` is true, or answers anything else that counts as true; gives up after a minute.
 * @param intervalMs so many milliseconds it is looked
 */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 60_000, intervalMs = 20): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; ; await pause(intervalMs)) {
    const result = await check();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${check.toString()}`);
  }
}

import { setTimeout as pause } from 'node:timers/promises';

/** Waits until `check` is true, or answers anything else that counts as true; gives up after a minute. */
export async function eventually<T>(check: () => T | Promise<T>, patience = 60_000): Promise<T> {
  for (const deadline = Date.now() + patience; ; await pause(20)) {
    const result = await check();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${check.toString()}`);
  }
}

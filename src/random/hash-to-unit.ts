import { createHash } from 'node:crypto';

/**
 * Returns a pseudorandom number from 0 (inclusive) to 1 (exclusive) that depends only on the arguments. Therefore the
 * order in which calls arrive affects no decision.
 */
export function hashToUnit(...parts: (string | number)[]): number {
  return createHash('sha256').update(parts.join('\n')).digest().readUIntBE(0, 6) / 2 ** 48;
}

import { toMsisdn } from './msisdn.js';

/** Whether two spellings stand for the same phone number, or for the same short code or sender ID. */
export function isSameNumber(one: unknown, other: unknown): boolean {
  const [first, second] = [comparable(one), comparable(other)];
  return first !== undefined && first === second;
}

function comparable(number: unknown): string | undefined {
  if (typeof number !== 'string' && typeof number !== 'number') return undefined;
  return toMsisdn(number) ?? String(number).replaceAll(/[^\d*#A-Za-z]/g, '');
}

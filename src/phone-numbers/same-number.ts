import { toMsisdn } from './msisdn.js';

/** Whether two spellings are of the same number: as E.164, or as the digits and letters of a short code or a sender's name. */
export function isSameNumber(one: unknown, other: unknown): boolean {
  const [first, second] = [comparable(one), comparable(other)];
  return first !== undefined && first === second;
}

function comparable(number: unknown): string | undefined {
  if (typeof number !== 'string' && typeof number !== 'number') return undefined;
  return toMsisdn(number) ?? String(number).replaceAll(/[^\d*#A-Za-z]/g, '');
}

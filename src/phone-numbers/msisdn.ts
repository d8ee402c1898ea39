import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/**
 * The E.164 form of a phone number in any usual spelling that has its country code: `855 10 202 101`, `+855-10-202-101`,
 * `00855 10202101`, or a JSON number. Undefined when it is no possible number by libphonenumber's metadata, or has an extension,
 * which cannot be dialled.
 */
export function toMsisdn(value: unknown): string | undefined {
  if (typeof value !== 'string' && !Number.isSafeInteger(value)) return undefined;
  const spelling = String(value).trim();
  if (spelling !== latest.spelling) latest = { spelling, msisdn: read(spelling) };
  return latest.msisdn;
}

/** A rule asks for what a transformation has asked for just before. */
let latest: { spelling?: string; msisdn?: string } = {};

function read(spelling: string): string | undefined {
  if (!/^[+＋\d(]/.test(spelling)) return undefined;
  const international = `+${spelling.replace(/^([+＋]|00)/, '')}`;
  const number = parsePhoneNumberFromString(international, { extract: false });
  return number?.isPossible() && !number.ext ? number.number : undefined;
}

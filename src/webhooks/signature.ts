import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import type { Account } from '../config/platform.js';

// The `twilio` package validates signatures too. It is not used for two reasons. It signs texts only, so it rejects
// forms with an invalid byte. It also sorts the parameters again for each URL and account that it tries, so a large
// body with a wrong signature costs twenty times as much.

/** A signature: the 20 bytes of a SHA-1 as base64. */
const SIGNATURE = /^[A-Za-z\d+/]{27}=$/;

/** Whether a header has the format of a signature. Otherwise the request is rejected before its body is read. */
export function looksSigned(header: string | string[] | undefined): header is string {
  return typeof header === 'string' && SIGNATURE.test(header);
}

/** The content that is signed after the URL. */
export interface Signable {
  /** The parameters of a form. Empty for a JSON body, whose digest is in the URL. */
  signable: Buffer;
  /** Alternatives if the form has an invalid byte. They are tried with the URL as received only. */
  signableAsSent?: Buffer[];
}

/**
 * Whether one of the accounts signed a request. Source: https://www.twilio.com/docs/usage/security#validating-requests
 * @param url that the provider called
 */
export function isSigned(
  signature: string,
  url: string,
  { signable, signableAsSent = [] }: Signable,
  accounts: readonly Account[],
): boolean {
  const given = Buffer.from(signature);
  const matches = (candidate: string, content: Buffer): boolean =>
    accounts.some(({ token }) => {
      const expected = Buffer.from(createHmac('sha1', token).update(candidate).update(content).digest('base64'));
      return expected.length === given.length && timingSafeEqual(expected, given);
    });
  const asSent = withAndWithoutPort(url);
  return (
    asSent.some((candidate) => [signable, ...signableAsSent].some((content) => matches(candidate, content))) ||
    otherSpellings(url, asSent).some((candidate) => matches(candidate, signable))
  );
}

/** Whether `bodySHA256` in the URL is the digest of the body. */
export function isDigestOf(body: Buffer, url: string): boolean {
  return new URL(url).searchParams.get('bodySHA256') === createHash('sha256').update(body).digest('hex');
}

/** Returns the URL with its query in other encodings, which Twilio's package also tries. */
function otherSpellings(url: string, tried: string[]): string[] {
  const normalized = new URL(url).toString();
  const [path, query] = normalized.split(/\?(.*)/s, 2);
  const legacy = query ? `${path}?${stringify(parse(query))}` : normalized;
  const spellings = new Set([normalized, legacy].flatMap(withAndWithoutPort));
  return [...spellings].filter((one) => !tried.includes(one));
}

/** The provider signs the URL with or without its port. */
function withAndWithoutPort(url: string): string[] {
  return [...new Set([withoutPort(url), withPort(url)])];
}

/** The parts before and after the port of a URL's authority, whose host may be an IPv6 address. */
const AUTHORITY = /^(https?:\/\/(?:[^/?#@]*@)?(?:\[[^\]]*\]|[^:/?#]*))(:\d*)?(.*)$/is;

function withoutPort(url: string): string {
  return url.replace(AUTHORITY, '$1$3');
}

function withPort(url: string): string {
  return url.replace(
    AUTHORITY,
    (_, before: string, port: string | undefined, after: string) =>
      `${before}${port ?? (/^https/i.test(url) ? ':443' : ':80')}${after}`,
  );
}

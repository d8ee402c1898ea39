import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import type { Account } from '../config/platform.js';

// The `twilio` package checks signatures too. It signs texts only, so it cannot tell what was signed with a broken byte
// in it, and sorts the parameters anew for each URL and account that it tries: a large body with a wrong signature
// would cost twenty times as much.

/** A signature: the 20 bytes of a SHA-1 as base64. */
const SIGNATURE = /^[A-Za-z\d+/]{27}=$/;

/** Whether a header may be a signature at all. One that is not is refused before the body is read. */
export function looksSigned(header: string | string[] | undefined): header is string {
  return typeof header === 'string' && SIGNATURE.test(header);
}

/** What is signed after the URL. */
export interface Signable {
  /** A form's parameters; nothing for a JSON body, whose digest is in the URL. */
  signable: Buffer;
  /** What it may be instead where a byte of the form is broken: it is tried with the URL as it was sent. */
  signableAsSent?: Buffer[];
}

/**
 * Whether one of the accounts has signed a request. Source:
 * https://www.twilio.com/docs/usage/security#validating-requests
 * @param url as the provider called it
 */
export function isSigned(
  signature: string,
  url: string,
  { signable, signableAsSent = [] }: Signable,
  accounts: readonly Account[],
): boolean {
  const given = Buffer.from(signature);
  const isOver = (candidate: string, content: Buffer): boolean =>
    accounts.some(({ token }) => {
      const expected = Buffer.from(createHmac('sha1', token).update(candidate).update(content).digest('base64'));
      return expected.length === given.length && timingSafeEqual(expected, given);
    });
  const asSent = withAndWithoutPort(url);
  return (
    asSent.some((candidate) => [signable, ...signableAsSent].some((content) => isOver(candidate, content))) ||
    otherSpellings(url, asSent).some((candidate) => isOver(candidate, signable))
  );
}

/** Whether the digest in a URL's `bodySHA256` is that of a body. */
export function isDigestOf(body: Buffer, url: string): boolean {
  return new URL(url).searchParams.get('bodySHA256') === createHash('sha256').update(body).digest('hex');
}

/** The URL with its query in the other usual encodings, which Twilio's own package tries, too. */
function otherSpellings(url: string, tried: string[]): string[] {
  const normalized = new URL(url).toString();
  const [path, query] = normalized.split(/\?(.*)/s, 2);
  const legacy = query ? `${path}?${stringify(parse(query))}` : normalized;
  const spellings = new Set([normalized, legacy].flatMap(withAndWithoutPort));
  return [...spellings].filter((one) => !tried.includes(one));
}

/** The provider signs the port, or leaves it out. */
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

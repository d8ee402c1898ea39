import { isUtf8 } from 'node:buffer';
import { BadRequestError } from '../errors/errors.js';
import { MAX_PARAMETERS } from '../server/nested-parameters.js';
import { decodeForm } from '../server/percent-encoding.js';
import type { Metadata } from '../metadata/metadata.js';

/** A name or a value. */
interface Part {
  bytes: Buffer;
  /** Where the bytes are not UTF-8, each broken one is U+FFFD. */
  text: string;
  isBroken: boolean;
}
type Pair = [name: Part, value: Part];

export type SignedPair = [name: string, value: string];

/** A webhook's form, as far as it is known what the sender meant by it. */
export interface WebhookForm {
  /** The parameters, flat and as received: a name that is given several times has a list. */
  parameters: Metadata;
  /** The same as names and values, in the order in which they are signed. */
  signedPairs: SignedPair[];
  /** What the sender signed after the URL: the parameters' names and values, one after the other, sorted by name. */
  signable: Buffer;
  /** What else it may be, where a byte was broken. */
  signableAsSent: Buffer[];
}

/**
 * Reads a form of at most 2,000 parameters, in linear time. A byte that is not UTF-8, or a percent sign that begins no
 * escape, spoils nothing but itself: the provider does not repeat a webhook that is refused.
 * @throws BadRequestError when there are too many parameters
 */
export function readWebhookForm(body: Buffer): WebhookForm {
  const found = decodeForm(body, MAX_PARAMETERS);
  if (!found) throw new BadRequestError(`there are more than ${MAX_PARAMETERS} parameters`);
  const pairs = found.map(({ name, value }): Pair => [toPart(name), toPart(value)]);
  const signedPairs = inSignedOrder(pairs);
  const signed = signedPairs.flat();
  const isBroken = signed.some((part) => part.isBroken);
  const latin = (part: Part): string => (part.isBroken ? part.bytes.toString('latin1') : part.text);
  return {
    parameters: toParameters(pairs),
    signedPairs: signedPairs.map(([name, value]) => [name.text, value.text]),
    signable: Buffer.concat(signed.map(({ bytes }) => bytes)),
    signableAsSent: isBroken
      ? [signed.map(({ text }) => text), signed.map(latin)].map((texts) => Buffer.from(texts.join('')))
      : [],
  };
}

function toPart(bytes: Buffer): Part {
  return { bytes, text: bytes.toString(), isBroken: !isUtf8(bytes) };
}

/** The parameters without one called `__proto__`, which means nothing and could become an object's prototype. */
function toParameters(pairs: Pair[]): Metadata {
  const parameters: Metadata = {};
  for (const [{ text: name }, { text: value }] of pairs) {
    if (name === '__proto__') continue;
    const before = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (before === undefined) parameters[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else parameters[name] = [before, value];
  }
  return parameters;
}

/**
 * Names and values in the order in which they are signed: by name, then by value. Of a name and value that are given
 * twice the provider signs one. Source: https://www.twilio.com/docs/usage/security#validating-requests
 */
function inSignedOrder(pairs: Pair[]): Pair[] {
  const sorted = pairs.toSorted((a, b) => compare(a[0].text, b[0].text) || compare(a[1].text, b[1].text));
  return sorted.filter(([name, value], index) => {
    const before = sorted[index - 1];
    return before?.[0].text !== name.text || before[1].text !== value.text;
  });
}

/** As JavaScript and Java sort: by UTF-16. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

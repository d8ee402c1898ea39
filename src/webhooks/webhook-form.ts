import { isUtf8 } from 'node:buffer';
import { BadRequestError } from '../errors/errors.js';
import { MAX_PARAMETERS } from '../server/nested-parameters.js';
import { decodeForm } from '../server/percent-encoding.js';
import type { Metadata } from '../metadata/metadata.js';

/** A name or a value. */
interface Part {
  bytes: Buffer;
  /** The bytes as UTF-8, with U+FFFD for invalid bytes. */
  text: string;
  isBroken: boolean;
}
type Pair = [name: Part, value: Part];

export type SignedPair = [name: string, value: string];

/** The form of a webhook. */
export interface WebhookForm {
  /** The parameters, without nesting. A repeated name has a list of values. */
  parameters: Metadata;
  /** The parameters as names and values, in the order in which they are signed. */
  signedPairs: SignedPair[];
  /** What the provider signs after the URL: the names and values, sorted by name, without separators. */
  signable: Buffer;
  /** What it may sign instead if a byte is not valid UTF-8. */
  signableAsSent: Buffer[];
}

/**
 * Reads a form in linear time. An invalid byte becomes U+FFFD, and an invalid percent escape is kept as text, because
 * the provider does not repeat a rejected webhook.
 * @throws BadRequestError if there are more than {@link MAX_PARAMETERS} parameters
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

/** Omits the name `__proto__`, which could set the object's prototype and is no parameter of the provider. */
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
 * Sorts pairs as the provider does before it signs them: by name, then by value. A repeated pair is signed once.
 * Source: https://www.twilio.com/docs/usage/security#validating-requests
 */
function inSignedOrder(pairs: Pair[]): Pair[] {
  const sorted = pairs.toSorted((a, b) => compare(a[0].text, b[0].text) || compare(a[1].text, b[1].text));
  return sorted.filter(([name, value], index) => {
    const before = sorted[index - 1];
    return before?.[0].text !== name.text || before[1].text !== value.text;
  });
}

/** Compares by UTF-16 code units, like JavaScript and Java. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** A verb of a TwiML document, or a noun within one. */
export interface Verb {
  name: string;
  attributes: Readonly<Record<string, string>>;
  text: string;
  children: Verb[];
}

/** The provider would not perform the document. `message` begins with Twilio's error code. */
export class TwimlError extends Error {}

/** The supported verbs, with the elements that each may contain. Source: https://www.twilio.com/docs/voice/twiml */
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  Say: [],
  Play: [],
  Pause: [],
  Gather: ['Say', 'Play', 'Pause'],
  Redirect: [],
  Hangup: [],
  Reject: [],
};

/** The attributes of each verb. Source: https://www.twilio.com/docs/voice/twiml */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  Say: ['voice', 'language', 'loop'],
  Play: ['loop', 'digits'],
  Pause: ['length'],
  Gather: ['input', 'numDigits', 'timeout', 'finishOnKey', 'action', 'method', 'actionOnEmptyResult'],
  Redirect: ['method'],
  Hangup: [],
  Reject: ['reason'],
};

/** The longest text that Twilio speaks, in characters. */
const MAX_SAY_LENGTH = 4_096;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  trimValues: false,
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: true,
  ignoreDeclaration: true,
});

type Node = Record<string, unknown> & { ':@'?: Record<string, string> };

/**
 * Parses and checks a TwiML document.
 * @returns its verbs, in order
 * @throws TwimlError if the provider would not perform it
 */
export function readTwiml(document: string): Verb[] {
  const valid = XMLValidator.validate(document);
  if (valid !== true) throw new TwimlError(`12100 Document parse failure: ${valid.err.msg}`);
  const roots = (parser.parse(document) as Node[]).map(readNode).filter((node) => node !== undefined);
  const [root] = roots;
  if (roots.length !== 1 || root?.name !== 'Response') throw new TwimlError('12102 The root must be Response');
  for (const verb of root.children) assertSupported(verb, Object.keys(CHILDREN));
  return root.children;
}

function assertSupported(verb: Verb, allowed: readonly string[]): void {
  if (!allowed.includes(verb.name)) throw new TwimlError(`12200 ${verb.name} is not known here`);
  if (verb.name === 'Say' && Array.from(verb.text).length > MAX_SAY_LENGTH)
    throw new TwimlError('13520 Say: the text is too long');
  const unknown = Object.keys(verb.attributes).find((name) => !ATTRIBUTES[verb.name]?.includes(name));
  if (unknown) throw new TwimlError(`12200 ${verb.name} has no attribute ${unknown}`);
  if (verb.name === 'Play' && !/^https?:\/\//i.test(verb.text))
    throw new TwimlError('13420 Play: not an http or https URL');
  for (const child of verb.children) assertSupported(child, CHILDREN[verb.name] ?? []);
}

function readNode(node: Node): Verb | undefined {
  const name = Object.keys(node).find((key) => key !== ':@' && key !== '#text');
  if (!name) return undefined;
  const content = node[name] as Node[];
  return {
    name,
    attributes: node[':@'] ?? {},
    text: content.map((child) => (typeof child['#text'] === 'string' ? child['#text'] : '')).join(''),
    children: content.map(readNode).filter((child) => child !== undefined),
  };
}

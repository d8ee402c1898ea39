import { BadRequestError } from '../errors/errors.js';
import { isJsonObject } from '../metadata/metadata.js';

/** The name of a parameter as the client wrote it, and its value. The value is null when there is no `=`. */
export type Parameter = [name: string, value: string | null];

type Container = Record<string, unknown> | unknown[];

/** The most parameters of a query or a form. */
export const MAX_PARAMETERS = 2_000;
const MAX_DEPTH = 32;

/**
 * Decodes the parameters of a query string or an `application/x-www-form-urlencoded` body. They are counted before any
 * of them is decoded.
 * @throws BadRequestError when there are too many, or when they are not percent-encoded UTF-8 (URL standard)
 */
export function decodeParameters(encoded: string): Parameter[] {
  return splitParameters(encoded).map(([name, value]) => [decode(name), value === null ? null : decode(value)]);
}

/**
 * @returns the parameters, still encoded
 * @throws BadRequestError when there are too many
 */
function splitParameters(encoded: string): Parameter[] {
  let count = 0;
  for (let at = -1; at < encoded.length;) {
    const end = encoded.indexOf('&', at + 1);
    const next = end < 0 ? encoded.length : end;
    if (next > at + 1 && ++count > MAX_PARAMETERS) {
      throw new BadRequestError(`there are more than ${MAX_PARAMETERS} parameters`);
    }
    at = next;
  }
  return encoded
    .split('&')
    .filter((part) => part !== '')
    .map((part): Parameter => {
      const at = part.indexOf('=');
      return at < 0 ? [part, null] : [part.slice(0, at), part.slice(at + 1)];
    });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '));
  } catch {
    throw new BadRequestError(`${part.slice(0, 100)} is not percent-encoded UTF-8`);
  }
}

/**
 * Nests parameters by the brackets in their names, with the syntax of Rails: `a[b]=1` is `{a: {b: '1'}}`, `a[]=1&a[]=2`
 * is `{a: ['1', '2']}`, and `[a][b]` is the same as `a[b]`. No parameter is dropped: ambiguous names are rejected.
 * (Libraries for this syntax drop or reshape some keys silently, and a lost filter would call everyone.)
 * @param options.repeated the meaning of a name that is given several times: `last` uses the last value, because a form
 *   can have a hidden field before its checkbox; `reject` throws
 * @throws BadRequestError for a malformed name, and for a name that is both a value and an object
 */
export function nestParameters(
  parameters: Parameter[],
  { repeated }: { repeated: 'last' | 'reject' },
): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, value] of parameters) setAtPath(root, parsePath(name), value, name, repeated);
  return root;
}

/** Shortens a name for a message. */
const truncate = (name: string): string => name.slice(0, 100);

function parsePath(name: string): string[] {
  const match = /^([^[\]]*)((?:\[[^[\]]*\])*)$/.exec(name);
  const nested = match?.[2]?.slice(1, -1).split('][') ?? [];
  const path = match?.[1] ? [match[1], ...(match[2] ? nested : [])] : nested;
  if (!match || !path[0])
    throw new BadRequestError(`the parameter name ${JSON.stringify(truncate(name))} cannot be read`);
  if (path.includes('__proto__')) throw new BadRequestError('__proto__ cannot be used as a key');
  if (path.length > MAX_DEPTH)
    throw new BadRequestError(`${truncate(path[0])} is nested deeper than ${MAX_DEPTH} levels`);
  return path;
}

function setAtPath(
  root: Record<string, unknown>,
  path: string[],
  value: string | null,
  name: string,
  repeated: 'last' | 'reject',
): void {
  let container: Container = root;
  path.forEach((key, depth) => {
    const rest = path.slice(depth + 1);
    const isListItem: boolean = key === '';
    if (isListItem !== Array.isArray(container)) throw new BadRequestError(`${truncate(name)} is given in two shapes`);
    const existing = existingAt(container, key, rest);
    if (rest.length > 0) {
      if (existing === undefined) {
        const created: Container = rest[0] === '' ? [] : {};
        setKey(container, key, created);
        container = created;
      } else if (Array.isArray(existing) || isJsonObject(existing)) {
        container = existing;
      } else {
        throw new BadRequestError(`${truncate(name)} is given in two shapes`);
      }
    } else {
      if (Object(existing) === existing) throw new BadRequestError(`${truncate(name)} is given in two shapes`);
      if (existing !== undefined && repeated === 'reject')
        throw new BadRequestError(`${truncate(name)} is given twice`);
      setKey(container, key, value);
    }
  });
}

/**
 * @returns the value at `key`. In a list, the last object counts as the value unless it already has the next key of the
 *   path: `a[][x]=1&a[][x]=2` is two objects.
 */
function existingAt(container: Container, key: string, rest: string[]): unknown {
  if (!Array.isArray(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  const last: unknown = container.at(-1);
  return rest[0] && isJsonObject(last) && !Object.hasOwn(last, rest[0]) ? last : undefined;
}

function setKey(container: Container, key: string, value: unknown): void {
  if (Array.isArray(container)) container.push(value);
  else container[key] = value;
}

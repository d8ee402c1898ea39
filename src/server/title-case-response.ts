import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';

/**
 * A response whose headers have the names that people know: `Per-Page`, where Fastify says `per-page`. Those of a streamed file are set one by
 * one, and keep the names that they were given.
 */
export class TitleCaseResponse<T extends IncomingMessage = IncomingMessage> extends ServerResponse<T> {
  override writeHead(status: number, ...rest: unknown[]): this {
    const [headers] = rest;
    const given = rest.length === 1 && isHeadersObject(headers) ? [withTitleCaseNames(headers)] : rest;
    return super.writeHead(status, ...(given as [OutgoingHttpHeader[]]));
  }
}

/** Node itself gives a list of names and values, or none. */
function isHeadersObject(headers: unknown): headers is OutgoingHttpHeaders {
  return typeof headers === 'object' && headers !== null && !Array.isArray(headers);
}

const titleCaseNames = new Map<string, string>();

/** Names and values in turn: Node takes them as they are. */
function withTitleCaseNames(headers: OutgoingHttpHeaders): OutgoingHttpHeader[] {
  const list: OutgoingHttpHeader[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    let known = titleCaseNames.get(name);
    if (known === undefined) {
      known = name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
      titleCaseNames.set(name, known);
    }
    list.push(known, value);
  }
  return list;
}

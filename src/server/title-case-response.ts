import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';

/**
 * A response with header names in title case: `Per-Page` instead of `per-page`, to which Fastify converts every name.
 * Headers of a streamed file are set one by one and keep their case.
 */
export class TitleCaseResponse<T extends IncomingMessage = IncomingMessage> extends ServerResponse<T> {
  override writeHead(status: number, ...rest: unknown[]): this {
    const [headers] = rest;
    const args = rest.length === 1 && isHeadersObject(headers) ? [withTitleCaseNames(headers)] : rest;
    return super.writeHead(status, ...(args as [OutgoingHttpHeader[]]));
  }
}

/** Node.js itself passes a list of names and values, or nothing. */
function isHeadersObject(headers: unknown): headers is OutgoingHttpHeaders {
  return typeof headers === 'object' && headers !== null && !Array.isArray(headers);
}

/** The name in title case of each header that was sent. */
const titleCaseNames = new Map<string, string>();

/** @returns names and values in turn, in the format in which Node.js writes them without a conversion */
function withTitleCaseNames(headers: OutgoingHttpHeaders): OutgoingHttpHeader[] {
  const list: OutgoingHttpHeader[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    let titleCase = titleCaseNames.get(name);
    if (titleCase === undefined) {
      titleCase = name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
      titleCaseNames.set(name, titleCase);
    }
    list.push(titleCase, value);
  }
  return list;
}

import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** A response whose headers have the names that people know: `Per-Page`, where Fastify says `per-page`. */
export class NamedResponse<T extends IncomingMessage = IncomingMessage> extends ServerResponse<T> {
  override writeHead(status: number, ...[headers = {}]: unknown[]): this {
    return super.writeHead(status, named(headers as OutgoingHttpHeaders));
  }
}

const names = new Map<string, string>();

/** Names and values in turn: Node takes them as they are. */
function named(headers: OutgoingHttpHeaders): OutgoingHttpHeader[] {
  const list: OutgoingHttpHeader[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    let known = names.get(name);
    if (known === undefined) {
      known = name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
      names.set(name, known);
    }
    list.push(known, value);
  }
  return list;
}

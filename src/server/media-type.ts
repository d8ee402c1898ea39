import type { IncomingHttpHeaders } from 'node:http';

/**
 * The media type of a message's body in lower case, without parameters; undefined when the message does not say. Media
 * types have no case.
 */
export function mediaTypeOf({ 'content-type': type }: IncomingHttpHeaders): string | undefined {
  return type?.split(';', 1)[0]?.trim().toLowerCase();
}

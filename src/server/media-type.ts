import type { IncomingHttpHeaders } from 'node:http';

/** @returns the media type of a body in lower case and without parameters; undefined without a `Content-Type` */
export function mediaTypeOf({ 'content-type': type }: IncomingHttpHeaders): string | undefined {
  return type?.split(';', 1)[0]?.trim().toLowerCase();
}

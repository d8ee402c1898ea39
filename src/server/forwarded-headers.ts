import { compile } from '@fastify/proxy-addr';
import type { FastifyRequest } from 'fastify';

/** Decides whether the forwarded headers of a peer are trusted. `hop` is 0 for the peer of the connection. */
export type TrustProxyFunction = (address: string, hop: number) => boolean;

/**
 * @param trustProxy `TRUST_PROXY`: true for every peer, false for none, or a list of addresses and ranges, separated by
 *   commas
 */
export function compileTrustProxy(trustProxy: boolean | string): TrustProxyFunction {
  if (typeof trustProxy === 'boolean') return () => trustProxy;
  return compile(trustProxy.split(','));
}

/** A host name or an address, with or without a port. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
/** A path, with or without a trailing slash. */
const PREFIX = /^(?:\/[\w.~%-]+)+\/*$/;

/**
 * Each proxy appends its own value to the forwarded headers, so the first value is the client's. A value that is not a
 * scheme, host or path is ignored.
 * @returns the base URL of this program as the client sees it, including a prefix that a proxy removed from the path;
 *   without a trailing slash
 */
export function clientBaseUrl(request: FastifyRequest, trustProxy: TrustProxyFunction): string {
  const { headers, socket } = request;
  const isTrusted = trustProxy(socket.remoteAddress ?? '', 0);
  const forwarded = (name: string, valid: RegExp): string | undefined => {
    const value = isTrusted ? [headers[name]].flat().join().split(',', 1)[0]!.trim() : '';
    return valid.test(value) ? value : undefined;
  };
  const protocol = forwarded('x-forwarded-proto', /^https?$/i)?.toLowerCase() ?? 'http';
  const host = forwarded('x-forwarded-host', HOST) ?? headers.host ?? '';
  const prefix = forwarded('x-forwarded-prefix', PREFIX)?.replace(/\/+$/, '') ?? '';
  return `${protocol}://${host}${prefix}`;
}

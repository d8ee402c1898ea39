import { compile } from '@fastify/proxy-addr';
import type { FastifyRequest } from 'fastify';

/** Whether what a peer says of its own clients is believed. */
export type TrustProxyFunction = (address: string, hop: number) => boolean;

/** @param trustProxy as the configuration has it: everybody, nobody, or a list of addresses and ranges */
export function compileTrustProxy(trustProxy: boolean | string): TrustProxyFunction {
  if (typeof trustProxy === 'boolean') return () => trustProxy;
  return compile(trustProxy.split(','));
}

/** A host name or an address, with or without a port. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
/** A path, with or without a slash at its end. */
const PREFIX = /^(?:\/[\w.~%-]+)+\/*$/;

/**
 * The address of this program as the client of a request has it, with the prefix that a proxy has taken off the path.
 * Each proxy adds what it saw itself to the end of the forwarded headers, so the first value is the client's. What is
 * no scheme, host or path is ignored.
 */
export function clientBaseUrl(request: FastifyRequest, trusts: TrustProxyFunction): string {
  const { headers, socket } = request;
  const isTrusted = trusts(socket.remoteAddress ?? '', 0);
  const forwarded = (name: string, valid: RegExp): string | undefined => {
    const value = isTrusted ? [headers[name]].flat().join().split(',', 1)[0]!.trim() : '';
    return valid.test(value) ? value : undefined;
  };
  const protocol = forwarded('x-forwarded-proto', /^https?$/i)?.toLowerCase() ?? 'http';
  const host = forwarded('x-forwarded-host', HOST) ?? headers.host ?? '';
  const prefix = forwarded('x-forwarded-prefix', PREFIX)?.replace(/\/+$/, '') ?? '';
  return `${protocol}://${host}${prefix}`;
}

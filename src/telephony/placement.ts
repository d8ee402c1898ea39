import { isJsonObject } from '../metadata/metadata.js';
import type { Placement, RemoteCall } from './provider.js';

/** What the provider answered by HTTP. */
export interface ProviderAnswer {
  statusCode: number;
  body: unknown;
}

/**
 * Codes that are about the account, not about one call: credentials (20003), an account that is not active (10001, 20005), too many calls
 * at once (10004), a full queue (22005). Source: https://www.twilio.com/docs/api/errors
 */
const ACCOUNT_WIDE = new Set([10001, 10004, 20003, 20005, 22005]);

/** The request did not leave, or nobody was there to take it. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EMFILE',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Sorts the answer to a request for a call into what may be done next. Of a 429, Twilio says that it was never processed. */
export function sortAnswer({ statusCode, body }: ProviderAnswer): Placement {
  const parsed = typeof body === 'string' ? parse(body) : body;
  const { code, message } = isJsonObject(parsed) ? parsed : {};
  const said = `${typeof message === 'string' ? message : `HTTP ${statusCode}`}${code ? ` (${String(code)})` : ''}`;
  if (statusCode >= 200 && statusCode < 300) {
    return isCall(parsed)
      ? { outcome: 'accepted', call: parsed }
      : { outcome: 'unknown', message: 'the answer is not a call' };
  }
  if (statusCode === 429 || code === 20429) return { outcome: 'postponed', message: said };
  // A 404 here is the account or the address: a number is never not found.
  if (statusCode === 401 || statusCode === 404 || ACCOUNT_WIDE.has(Number(code))) {
    return { outcome: 'barred', message: said };
  }
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 408) return { outcome: 'refused', message: said };
  return { outcome: 'unknown', message: said };
}

/** Sorts a request that got no answer. */
export function sortError(error: unknown): Placement {
  const { code, message } = error as NodeJS.ErrnoException;
  return { outcome: code && NOT_SENT.has(code) ? 'postponed' : 'unknown', message: code ?? message };
}

function isCall(value: unknown): value is RemoteCall {
  return isJsonObject(value) && typeof value.sid === 'string' && value.sid !== '' && typeof value.status === 'string';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

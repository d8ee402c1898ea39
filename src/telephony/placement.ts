import { isJsonObject } from '../metadata/metadata.js';
import { isAboutAccount, isAboutSetting } from './provider-codes.js';
import type { Placement, RemoteCall } from './provider.js';

/** What the provider answered by HTTP. */
export interface ProviderAnswer {
  statusCode: number;
  body: unknown;
}

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

/** Sorts the answer to a request for a call into what may be done next. Twilio says that it never processed what it answers with 429. */
export function sortAnswer({ statusCode, body }: ProviderAnswer): Placement {
  const parsed = typeof body === 'string' ? parse(body) : body;
  const given = isJsonObject(parsed) ? parsed : {};
  const code = typeof given.code === 'number' || typeof given.code === 'string' ? String(given.code) : undefined;
  const message = `${typeof given.message === 'string' ? given.message : `HTTP ${statusCode}`}${code ? ` (${code})` : ''}`;
  if (statusCode >= 200 && statusCode < 300) {
    return isCall(parsed)
      ? { outcome: 'accepted', call: parsed }
      : { outcome: 'unknown', message: 'the answer is not a call' };
  }
  if (statusCode === 429 || code === '20429') return { outcome: 'postponed', message };
  // A 404 here is the account or the address: a number is never not found.
  if (statusCode === 401 || statusCode === 404 || isAboutAccount(code ?? '')) return { outcome: 'barred', message };
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 408) {
    const outcome = isAboutSetting(code ?? '') ? 'misconfigured' : 'refused';
    return { outcome, code: code ?? `HTTP ${statusCode}`, message };
  }
  return { outcome: 'unknown', message };
}

/** Sorts a request that got no answer. */
export function sortError(error: unknown): Placement {
  const { code, message } = error as NodeJS.ErrnoException;
  return { outcome: code && NOT_SENT.has(code) ? 'unreachable' : 'unknown', message: code ?? message };
}

/** The longest id that a provider gives a call. Twilio's have 34 characters, Somleng's 36. */
const LONGEST_ID = 64;

/** Whether a value can be a provider's id of a call. */
export function isRemoteId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_ID;
}

function isCall(value: unknown): value is RemoteCall {
  return isJsonObject(value) && isRemoteId(value.sid) && typeof value.status === 'string';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

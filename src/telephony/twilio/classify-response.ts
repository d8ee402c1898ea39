import { isJsonObject } from '../../metadata/metadata.js';
import type { Placement, RemoteCall } from '../telephony-provider.js';
import { isAccountError, isSettingError } from './error-codes.js';
import type { ProviderResponse } from './twilio-api.js';

/** Error codes that mean that the request did not leave this program, or did not reach a server. */
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

/** The longest id that a provider gives a call. Twilio's have 34 characters, Somleng's 36. */
const MAX_SID_LENGTH = 64;

/**
 * Turns the response to a request for a call into its outcome. Twilio documents that it does not process what it
 * answers with 429.
 */
export function classifyResponse({ statusCode, body }: ProviderResponse): Placement {
  const parsed = parseJson(body);
  const fields = isJsonObject(parsed) ? parsed : {};
  const code = typeof fields.code === 'number' || typeof fields.code === 'string' ? String(fields.code) : undefined;
  const reason = typeof fields.message === 'string' ? fields.message : `HTTP ${statusCode}`;
  const message = `${reason}${code ? ` (${code})` : ''}`;
  if (statusCode >= 200 && statusCode < 300) {
    return isCall(parsed)
      ? { outcome: 'accepted', call: parsed }
      : { outcome: 'unknown', message: 'the answer is not a call' };
  }
  if (statusCode === 429 || code === '20429') return { outcome: 'postponed', message };
  // A 404 means the account or the address. An unknown number is a 400.
  if (statusCode === 401 || statusCode === 404 || isAccountError(code ?? '')) return { outcome: 'barred', message };
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 408) {
    const outcome = isSettingError(code ?? '') ? 'misconfigured' : 'refused';
    return { outcome, code: code ?? `HTTP ${statusCode}`, message };
  }
  return { outcome: 'unknown', message };
}

/** Turns the error of a request without a response into its outcome. */
export function classifyError(error: unknown): Placement {
  const { code, message } = error as NodeJS.ErrnoException;
  return { outcome: code && NOT_SENT.has(code) ? 'unreachable' : 'unknown', message: code ?? message };
}

function isCall(value: unknown): value is RemoteCall {
  return isJsonObject(value) && isSid(value.sid) && typeof value.status === 'string';
}

function isSid(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_SID_LENGTH;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

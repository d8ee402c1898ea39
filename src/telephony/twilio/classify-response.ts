import { isJsonObject } from '../../metadata/metadata.js';
import type { EndStatus } from '../end-status.js';
import type { Ending, Failure, Placement, RemoteCall } from '../telephony-provider.js';
import { isAccountError, isCallOverError, isSettingError } from './error-codes.js';
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

/** The final statuses of a call that was neither answered nor canceled. Source: Twilio's `call_enum_status`. */
const UNANSWERED_STATUSES = new Set(['busy', 'no-answer', 'failed']);

/** Turns the response to a request to place a call into its outcome. */
export function classifyPlacement(response: ProviderResponse): Placement {
  const { call, failure } = readResponse(response);
  return failure ?? { outcome: 'accepted', call };
}

/**
 * Turns the response to a request to end a call into its outcome.
 * @param status the requested one
 */
export function classifyEnding(response: ProviderResponse, status: EndStatus): Ending {
  const { call, failure } = readResponse(response);
  if (!failure) return endingOf(call, status);
  if (response.statusCode === 404) return { outcome: 'not_found' };
  if ('code' in failure && isCallOverError(failure.code)) return { outcome: 'already_ended' };
  // No number or setting is involved, so it is the account that may not do this.
  if (response.statusCode === 403) return { outcome: 'barred', message: failure.message };
  return failure;
}

/** Turns the error of a request without a response into its outcome. */
export function classifyError(error: unknown): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  return { outcome: code && NOT_SENT.has(code) ? 'unreachable' : 'unknown', message: code ?? message };
}

function endingOf(call: RemoteCall, status: EndStatus): Ending {
  if (UNANSWERED_STATUSES.has(call.status)) return { outcome: 'already_ended', call };
  if (status === 'completed') return { outcome: 'ended', call };
  if (call.status === 'in-progress') return { outcome: 'not_cancelable', call };
  return { outcome: call.status === 'completed' ? 'already_ended' : 'ended', call };
}

/** Returns the call that the response has, or why there is none. */
function readResponse({
  statusCode,
  body,
}: ProviderResponse): { call: RemoteCall; failure?: undefined } | { call?: undefined; failure: Failure } {
  const parsed = parseJson(body);
  if (statusCode < 200 || statusCode >= 300) return { failure: classifyFailure(statusCode, parsed) };
  return isCall(parsed) ? { call: parsed } : { failure: { outcome: 'unknown', message: 'the answer is not a call' } };
}

/** Twilio documents that it does not process a request that it answers with 429. */
function classifyFailure(statusCode: number, body: unknown): Failure {
  const fields = isJsonObject(body) ? body : {};
  const code = typeof fields.code === 'number' || typeof fields.code === 'string' ? String(fields.code) : undefined;
  const reason = typeof fields.message === 'string' ? fields.message : `HTTP ${statusCode}`;
  const message = `${reason}${code ? ` (${code})` : ''}`;
  if (statusCode === 429 || code === '20429') return { outcome: 'postponed', message };
  // A 404 means the account or the address. An unknown number is a 400.
  if (statusCode === 401 || statusCode === 404 || isAccountError(code ?? '')) return { outcome: 'barred', message };
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 408) {
    const outcome = isSettingError(code ?? '') ? 'misconfigured' : 'refused';
    return { outcome, code: code ?? `HTTP ${statusCode}`, message };
  }
  return { outcome: 'unknown', message };
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

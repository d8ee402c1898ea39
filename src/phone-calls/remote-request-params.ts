import { messages } from '../errors/errors.js';
import { jsonObjectError } from '../api/rules.js';
import { isBlank, emptyListAsObject, textOf, withoutBlanks } from '../metadata/client-values.js';
import { type Metadata, isJsonObject } from '../metadata/metadata.js';

/**
 * What the provider can be asked for with a call, beside `to`, which is always the call's own number. Source: the parameters of Twilio's
 * create-call request (OpenAPI document `twilio_api_v2010`), in snake case.
 */
const PARAMETERS: readonly string[] = [
  'to',
  'from',
  'url',
  'method',
  'twiml',
  'application_sid',
  'fallback_url',
  'fallback_method',
  'status_callback',
  'status_callback_event',
  'status_callback_method',
  'send_digits',
  'timeout',
  'time_limit',
  'record',
  'recording_channels',
  'recording_track',
  'recording_status_callback',
  'recording_status_callback_event',
  'recording_status_callback_method',
  'sip_auth_username',
  'sip_auth_password',
  'trim',
  'caller_id',
  'machine_detection',
  'machine_detection_timeout',
  'machine_detection_speech_threshold',
  'machine_detection_speech_end_threshold',
  'machine_detection_silence_timeout',
  'async_amd',
  'async_amd_status_callback',
  'async_amd_status_callback_method',
  'byoc',
  'call_reason',
  'call_token',
  'client_notification_url',
];

/** Those that hold several events. */
const EVENT_LISTS = ['status_callback_event', 'recording_status_callback_event'];

/**
 * The request parameters that a client gives, without those that are blank. PHP sends an empty list for an empty map.
 */
export function readRemoteRequestParams(given: unknown): unknown {
  const params = emptyListAsObject(given);
  return isJsonObject(params) ? withoutBlanks(params) : params;
}

/**
 * The request parameters as they are sent: without blanks, which calls that were stored earlier may still have, and
 * each event as a value of its own. The provider takes `initiated ringing` for one event that there is not.
 */
export function sendableParams(stored: Metadata): Metadata {
  const separate = EVENT_LISTS.map((name): [string, string[]] => [name, separateEvents(stored[name])]);
  return withoutBlanks({ ...stored, ...Object.fromEntries(separate) });
}

function separateEvents(events: unknown): string[] {
  return [events].flat().flatMap((one) => textOf(one)?.split(/[\s,]+/) ?? []);
}

/** What is wrong with the request parameters of an outbound call, or undefined. */
export function remoteRequestParamsError(value: unknown): string | undefined {
  if (isBlank(value)) return messages.blank;
  const error = jsonObjectError(value);
  if (error) return error;
  const entries = Object.entries(value as Metadata);
  if (entries.length === 0) return messages.blank;
  return entries.every(([key, one]) => PARAMETERS.includes(key) && isSendable(one)) ? undefined : messages.notIncluded;
}

/** A form can carry it: a text, a number, a yes or no, or several of them. */
function isSendable(value: unknown): boolean {
  return Array.isArray(value)
    ? value.every((one) => !Array.isArray(one) && isSendable(one))
    : ['string', 'number', 'boolean'].includes(typeof value);
}

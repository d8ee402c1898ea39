import { messages } from '../errors/errors.js';
import { jsonObjectError } from '../api/rules.js';
import { isBlank, emptyListAsObject, textOf, withoutBlanks } from '../metadata/client-values.js';
import { type Metadata, isJsonObject } from '../metadata/metadata.js';

/**
 * The parameters of a request to place a call. `to` is always replaced by the number of the call. Source: the
 * parameters of Twilio's create-call request (OpenAPI document `twilio_api_v2010`), in snake case.
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

/** The parameters that contain several events. */
const EVENT_LISTS = ['status_callback_event', 'recording_status_callback_event'];

/**
 * Reads the request parameters of a client. Blank ones are removed, and an empty list, which PHP sends for an empty
 * map, becomes an empty object. Other values are returned unchanged, for {@link remoteRequestParamsError} to reject.
 */
export function readRemoteRequestParams(given: unknown): unknown {
  const params = emptyListAsObject(given);
  return isJsonObject(params) ? withoutBlanks(params) : params;
}

/**
 * Prepares stored request parameters for the provider. Blank ones, which older calls may contain, are removed, and each
 * event becomes a separate value: the provider takes `initiated ringing` for one unknown event.
 */
export function sendableParams(stored: Metadata): Metadata {
  const separate = EVENT_LISTS.map((name): [string, string[]] => [name, separateEvents(stored[name])]);
  return withoutBlanks({ ...stored, ...Object.fromEntries(separate) });
}

function separateEvents(events: unknown): string[] {
  return [events].flat().flatMap((one) => textOf(one)?.split(/[\s,]+/) ?? []);
}

/** @returns the validation message for the request parameters of a call; undefined when they are valid */
export function remoteRequestParamsError(value: unknown): string | undefined {
  if (isBlank(value)) return messages.blank;
  const error = jsonObjectError(value);
  if (error) return error;
  const entries = Object.entries(value as Metadata);
  if (entries.length === 0) return messages.blank;
  return entries.every(([key, one]) => PARAMETERS.includes(key) && isSendable(one)) ? undefined : messages.notIncluded;
}

/** @returns whether a form can contain the value: a string, a number, a boolean, or a list of them */
function isSendable(value: unknown): boolean {
  return Array.isArray(value)
    ? value.every((one) => !Array.isArray(one) && isSendable(one))
    : ['string', 'number', 'boolean'].includes(typeof value);
}

import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { invalidRequest } from './twilio-error.js';

/** A request for a call, after its parameters were checked. */
export interface CallRequest {
  to: string;
  from: string;
  direction: 'outbound-api' | 'inbound';
  /** Where the first document is requested; takes precedence over `twiml`. */
  url?: string;
  /** The HTTP method for `url`. */
  method: string;
  /** The first document. */
  twiml?: string;
  statusCallback?: string;
  statusCallbackEvents: string[];
  /** Whether webhooks say who answered: synchronous answering machine detection. */
  detectsMachines: boolean;
  /** Where asynchronous answering machine detection reports who answered. */
  asyncAmdStatusCallback?: string;
  /** Whether another party on the same account requested it. */
  isForeign?: boolean;
}

const EVENTS = ['initiated', 'ringing', 'answered', 'completed'];
const MAX_TWIML_LENGTH = 4_000;
const METHODS = ['GET', 'POST'];
const WEB_PROTOCOLS = ['http:', 'https:'];

/**
 * Reads the form of a request for a call. Like Twilio, it ignores unknown parameters.
 * Source of the error codes: https://www.twilio.com/docs/api/errors
 * @throws TwilioError if a parameter is missing or invalid
 */
export function readCallRequest(form: URLSearchParams): CallRequest {
  const { to, from } = readNumbers({ to: form.get('To'), from: form.get('From') });
  const url = form.get('Url') || undefined;
  const twiml = form.get('Twiml') || undefined;
  if (!url && !twiml && !form.get('ApplicationSid')) throw invalidRequest('Url parameter is required', 21205);
  if (url && !isWebUrl(url)) throw invalidRequest(`Url is not a valid URL: ${url}`, 21205);
  if (twiml && twiml.length > MAX_TWIML_LENGTH)
    throw invalidRequest(`Twiml is longer than ${MAX_TWIML_LENGTH} characters`, 21632);
  const method = (form.get('Method') || 'POST').toUpperCase();
  if (!METHODS.includes(method)) throw invalidRequest(`Method must be GET or POST, not ${method}`, 21209);
  const events = form.getAll('StatusCallbackEvent');
  if (!events.every((event) => EVENTS.includes(event))) throw invalidRequest('Invalid StatusCallbackEvents', 21626);
  const isAsyncAmd = form.get('AsyncAmd') === 'true';
  return {
    to,
    from,
    direction: 'outbound-api',
    url,
    method,
    twiml,
    statusCallback: readCallback(form, 'StatusCallback'),
    statusCallbackEvents: events.length > 0 ? events : ['completed'],
    detectsMachines: form.get('MachineDetection') !== null && !isAsyncAmd,
    asyncAmdStatusCallback: isAsyncAmd ? readCallback(form, 'AsyncAmdStatusCallback') : undefined,
  };
}

/** A request to change a call, after its parameters were checked. */
export interface CallUpdate {
  /** How the call is to end. */
  status: 'canceled' | 'completed';
}

/**
 * The parameters of an update that redirect a call or change its callbacks, which the simulator cannot do. Source:
 * Twilio's OpenAPI document, `UpdateCallRequest`.
 */
const UNSUPPORTED_IN_UPDATES = [
  'Url',
  'Method',
  'FallbackUrl',
  'FallbackMethod',
  'StatusCallback',
  'StatusCallbackMethod',
  'Twiml',
  'TimeLimit',
];

/**
 * Reads the form of a request to change a call. Like Twilio, it ignores unknown parameters.
 * @throws TwilioError if the status is missing or invalid, or if a parameter is not supported
 */
export function readCallUpdate(form: URLSearchParams): CallUpdate {
  const unsupported = UNSUPPORTED_IN_UPDATES.find((name) => form.get(name));
  if (unsupported) {
    throw invalidRequest(`The simulator does not support ${unsupported} when a call is updated: it only ends calls`);
  }
  const status = form.get('Status');
  if (status === 'canceled' || status === 'completed') return { status };
  throw invalidRequest('Status must be canceled or completed');
}

/**
 * Reads the two ends of an outbound call.
 * @returns `to` in E.164; `from` as a phone number in E.164, a short code or an alphanumeric sender ID
 * @throws TwilioError if one is missing or invalid
 */
export function readNumbers({ to, from }: { to: string | null; from: string | null }): { to: string; from: string } {
  if (!to) throw invalidRequest("No 'To' number is specified", 21201);
  if (!/^\+[1-9]\d{4,14}$/.test(to)) throw invalidRequest(`The 'To' number ${to} is not a valid phone number`, 21211);
  if (!from) throw invalidRequest("No 'From' number is specified", 21213);
  const caller = readCaller(from);
  if (caller) return { to, from: caller };
  throw invalidRequest(
    `The 'From' number ${from} is not a valid phone number, short code, or alphanumeric sender ID`,
    21212,
  );
}

/** Returns a caller id as Twilio shows it; undefined if it is no phone number, short code or sender ID. */
function readCaller(from: string): string | undefined {
  const digits = from.replaceAll(/[\s().-]/g, '');
  if (/^\d{3,8}$/.test(digits)) return digits;
  if (/^\+?\d+$/.test(digits)) {
    const number = parsePhoneNumberFromString(`+${digits.replace('+', '')}`);
    return number?.isPossible() ? number.number : undefined;
  }
  return /^(?=.*[a-z])[a-z\d +&_-]{1,11}$/i.test(from) ? from : undefined;
}

function readCallback(form: URLSearchParams, name: string): string | undefined {
  const url = form.get(name) || undefined;
  if (url && !isWebUrl(url)) throw invalidRequest(`The ${name} URL ${url} is not a valid URL.`, 21609);
  return url;
}

function isWebUrl(url: string): boolean {
  return URL.canParse(url) && WEB_PROTOCOLS.includes(new URL(url).protocol);
}

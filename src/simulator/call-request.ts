import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { CallRequest } from './simulated-call.js';
import { invalid } from './twilio-error.js';

const EVENTS = ['initiated', 'ringing', 'answered', 'completed'];
const LONGEST_TWIML = 4_000;
const METHODS = ['GET', 'POST'];
const WEB = ['http:', 'https:'];

/**
 * Reads the form of a request for a call. Parameters that the simulator does not know are ignored, as Twilio does.
 * @throws TwilioError Source of the codes: https://www.twilio.com/docs/api/errors
 */
export function readCallRequest(form: URLSearchParams): CallRequest {
  const { to, from } = readNumbers({ to: form.get('To'), from: form.get('From') });
  const url = form.get('Url') || undefined;
  const twiml = form.get('Twiml') || undefined;
  if (!url && !twiml && !form.get('ApplicationSid')) throw invalid('Url parameter is required', 21205);
  if (url && !isWebAddress(url)) throw invalid(`Url is not a valid URL: ${url}`, 21205);
  if (twiml && twiml.length > LONGEST_TWIML) throw invalid(`Twiml is longer than ${LONGEST_TWIML} characters`, 21632);
  const method = (form.get('Method') || 'POST').toUpperCase();
  if (!METHODS.includes(method)) throw invalid(`Method must be GET or POST, not ${method}`, 21209);
  const events = form.getAll('StatusCallbackEvent');
  if (!events.every((event) => EVENTS.includes(event))) throw invalid('Invalid StatusCallbackEvents', 21626);
  const asynchronous = form.get('AsyncAmd') === 'true';
  return {
    to,
    from,
    direction: 'outbound-api',
    url,
    method,
    twiml,
    statusCallback: readCallback(form, 'StatusCallback'),
    statusCallbackEvents: events.length > 0 ? events : ['completed'],
    detectsMachines: form.get('MachineDetection') !== null && !asynchronous,
    tellsWhoAnswered: asynchronous ? readCallback(form, 'AsyncAmdStatusCallback') : undefined,
  };
}

/**
 * The two ends of an outbound call: a phone number in E.164, and the number, short code or alphanumeric name that is shown to the person.
 * @throws TwilioError
 */
export function readNumbers({ to, from }: { to: string | null; from: string | null }): { to: string; from: string } {
  if (!to) throw invalid("No 'To' number is specified", 21201);
  if (!/^\+[1-9]\d{4,14}$/.test(to)) throw invalid(`The 'To' number ${to} is not a valid phone number`, 21211);
  if (!from) throw invalid("No 'From' number is specified", 21213);
  const caller = readCaller(from);
  if (caller) return { to, from: caller };
  throw invalid(`The 'From' number ${from} is not a valid phone number, short code, or alphanumeric sender ID`, 21212);
}

/** As Twilio shows it: a phone number in E.164, whatever its spelling. Undefined when it is none of the three. */
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
  if (url && !isWebAddress(url)) throw invalid(`The ${name} URL ${url} is not a valid URL.`, 21609);
  return url;
}

function isWebAddress(url: string): boolean {
  return URL.canParse(url) && WEB.includes(new URL(url).protocol);
}

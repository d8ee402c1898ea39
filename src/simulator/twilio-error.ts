import type { FastifyRequest } from 'fastify';

/** An error response in Twilio's format. */
export class TwilioError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }

  toBody() {
    const { status, code, message } = this;
    return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
  }
}

/** Twilio's titles of the errors that can concern an account. Source: https://www.twilio.com/docs/api/errors */
const titles: Readonly<Record<number, string>> = {
  10001: 'Account is not active',
  10002: 'Trial account does not support this feature',
  10004: 'Call concurrency limit exceeded',
  13223: 'Dial: Invalid phone number format',
  13224: 'Dial: Twilio does not support calling this number or the number is invalid',
  13225: 'Dial: Call blocked by Twilio',
  13226: 'Dial: Invalid country code',
  13227: 'Geo Permission configuration is not permitting call',
  20003: 'Authenticate',
  20005: 'Account not active',
  20006: 'Access Denied',
  20010: 'Action disabled for account',
  20404: 'Not Found',
  20429: 'Too Many Requests',
  20500: 'Internal Server Error',
  20503: 'Service unavailable',
  21201: "No 'To' number is specified",
  21202: 'Called number is a premium number',
  21203: 'International calling not enabled',
  21205: 'Invalid URL',
  21206: 'Invalid SendDigits',
  21208: 'Invalid Timeout',
  21209: 'Invalid Method',
  21210: "'From' phone number not verified",
  21211: "Invalid 'To' Phone Number",
  21212: "Invalid 'From' Number",
  21213: 'Caller phone number is required',
  21214: "'To' phone number cannot be reached",
  21215: 'Geo Permission configuration is not permitting call',
  21216: 'Call blocked by Twilio',
  21217: 'Phone number does not appear to be valid',
  21218: 'Invalid ApplicationSid',
  21219: "'To' phone number not verified",
  21220: 'Invalid call state',
  21606: "'From' number is not a valid message-capable Twilio number for this account",
  21609: "Invalid 'StatusCallback'",
  22005: 'Call Queue Full',
};

/** The HTTP status by code; 400 for all others. */
const statuses: Readonly<Record<number, number>> = { 20003: 401, 20429: 429 };

/** Returns the error that Twilio gives every request for a call if the account is at fault. */
export function accountError(code: number): TwilioError {
  return new TwilioError(statuses[code] ?? 400, code, titles[code] ?? `Error ${code}`);
}

/** Returns the error for a request with an invalid parameter. */
export function invalidRequest(message: string, code = 20422): TwilioError {
  return new TwilioError(400, code, message);
}

/** Returns the error for an unknown resource or route. */
export function notFound({ url }: FastifyRequest): TwilioError {
  return new TwilioError(404, 20404, `The requested resource ${url.split('?')[0]} was not found`);
}

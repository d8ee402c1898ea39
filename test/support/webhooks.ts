import twilio from 'twilio';
import type { Answer, Api } from './api.js';

/** What the provider's webhooks are signed with when the simulator is the provider. */
export const TOKEN = 'simulator';

interface Sending {
  query?: string;
  token?: string;
  headers?: Record<string, string>;
  /** Follows the path. */
  suffix?: string;
  /** What follows the path that is signed, if that is another. */
  signedSuffix?: string;
}

/** Sends a webhook as the provider does: a form, signed by its URL and parameters. */
export function signedWebhook(
  api: Api,
  parameters: Record<string, string>,
  { query = '', token, headers = {}, suffix = '', signedSuffix = suffix }: Sending = {},
): Promise<Answer> {
  const path = (end: string) => `/api/remote_phone_call_events${end}${query}`;
  const signature = twilio.getExpectedTwilioSignature(token ?? TOKEN, api.url + path(signedSuffix), parameters);
  return api.send('POST', path(suffix), new URLSearchParams(parameters).toString(), {
    'X-Twilio-Signature': signature,
    ...headers,
  });
}

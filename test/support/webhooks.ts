import twilio from 'twilio';
import type { Answer, Api } from './api.js';

/** What the provider's webhooks are signed with when the simulator is the provider. */
export const TOKEN = 'simulator';

/** Sends a webhook as the provider does: a form, signed by its URL and parameters. */
export function signedWebhook(
  api: Api,
  parameters: Record<string, string>,
  { query = '', token, headers = {} }: { query?: string; token?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const path = `/api/remote_phone_call_events${query}`;
  const signature = twilio.getExpectedTwilioSignature(token ?? TOKEN, api.url + path, parameters);
  return api.send('POST', path, new URLSearchParams(parameters).toString(), {
    'X-Twilio-Signature': signature,
    ...headers,
  });
}

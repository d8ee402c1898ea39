import twilio from 'twilio';
import type { Answer, Api } from './api.js';
import type { Installation } from './installation.js';

/** Sends a webhook as the provider does: a form, signed by its URL and parameters. */
export type SignedWebhook = (
  api: Api,
  parameters: Record<string, string>,
  options?: { query?: string; token?: string; headers?: Record<string, string> },
) => Promise<Answer>;

/** How the simulator sends its webhooks to an installation on which it is the provider. A program must have been started there. */
export function webhooksTo(installation: Installation): SignedWebhook {
  let simulatorToken: Promise<string> | undefined;
  return async (api, parameters, { query = '', token, headers = {} } = {}) => {
    const path = `/api/remote_phone_call_events${query}`;
    simulatorToken ??= simulatorTokenOf(installation);
    const signature = twilio.getExpectedTwilioSignature(token ?? (await simulatorToken), api.url + path, parameters);
    return api.send('POST', path, new URLSearchParams(parameters).toString(), {
      'X-Twilio-Signature': signature,
      ...headers,
    });
  };
}

/** What the simulator signs with. */
export async function simulatorTokenOf(installation: Installation): Promise<string> {
  const [row] = await installation.query<{ value: string }>(
    `SELECT value FROM settings WHERE name = 'simulator_auth_token'`,
  );
  return row!.value;
}

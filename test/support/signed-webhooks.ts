import twilio from 'twilio';
import type { ApiResponse, Api } from './api.js';
import type { Installation } from './installation.js';

interface WebhookOptions {
  query?: string;
  token?: string;
  headers?: Record<string, string>;
  /** Follows the path. */
  suffix?: string;
  /** What follows the path that is signed, if that is another. */
  signedSuffix?: string;
}

/** Sends a webhook as the provider does: a form, signed by its URL and parameters. */
export type SendSignedWebhook = (
  api: Api,
  parameters: Record<string, string>,
  options?: WebhookOptions,
) => Promise<ApiResponse>;

/** How the simulator sends its webhooks to an installation on which it is the provider. A program must have been started there. */
export function signedWebhookSender(installation: Installation): SendSignedWebhook {
  let simulatorToken: Promise<string> | undefined;
  return async (api, parameters, { query = '', token, headers = {}, suffix = '', signedSuffix = suffix } = {}) => {
    const path = (end: string) => `/api/remote_phone_call_events${end}${query}`;
    simulatorToken ??= readSimulatorToken(installation);
    const url = api.url + path(signedSuffix);
    const signature = twilio.getExpectedTwilioSignature(token ?? (await simulatorToken), url, parameters);
    return api.send('POST', path(suffix), new URLSearchParams(parameters).toString(), {
      'X-Twilio-Signature': signature,
      ...headers,
    });
  };
}

/** What the simulator signs with. */
export async function readSimulatorToken(installation: Installation): Promise<string> {
  const [row] = await installation.query<{ value: string }>(
    `SELECT value FROM settings WHERE name = 'simulator_auth_token'`,
  );
  return row!.value;
}

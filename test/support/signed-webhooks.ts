import twilio from 'twilio';
import type { ApiResponse, Api } from './api.js';
import type { Installation } from './installation.js';

interface WebhookOptions {
  /** The query string, with its `?`. */
  query?: string;
  /** The token that signs the webhook instead of the simulator's. */
  token?: string;
  headers?: Record<string, string>;
  /** Is appended to the path. */
  suffix?: string;
  /** Is appended to the signed path instead of `suffix`. */
  signedSuffix?: string;
}

/** Sends a webhook as the provider does: a form that is signed by its URL and parameters. */
export type SendSignedWebhook = (
  api: Api,
  parameters: Record<string, string>,
  options?: WebhookOptions,
) => Promise<ApiResponse>;

/**
 * Creates a sender of webhooks that carry the simulator's signature.
 *
 * @param installation has the simulator's token in its database once a program was started on it
 */
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

/** @returns the token with which the simulator of an installation signs its webhooks */
export async function readSimulatorToken(installation: Installation): Promise<string> {
  const [row] = await installation.query<{ value: string }>(
    `SELECT value FROM settings WHERE name = 'simulator_auth_token'`,
  );
  return row!.value;
}

import { EnvHttpProxyAgent, request } from 'undici';
import type { Account } from '../../config/platform.js';
import { textOf } from '../../metadata/client-values.js';
import type { Metadata } from '../../metadata/metadata.js';

/** The most connections to the provider: more than a process has requests at once. */
const MAX_CONNECTIONS = 200;

/** An HTTP response of the provider. */
export interface ProviderResponse {
  statusCode: number;
  body: string;
}

/**
 * The REST API of one account at Twilio, or at another address with the same API. Each request is sent once: there are
 * no retries, and redirects are not followed.
 */
export class TwilioApi {
  private readonly dispatcher: EnvHttpProxyAgent;

  /**
   * @param baseUrl resolves to the address of the API, without a slash at the end
   * @param timeout of connecting, of the response headers and of the body (s)
   */
  constructor(
    private readonly account: Account,
    private readonly baseUrl: () => Promise<string>,
    timeout: number,
  ) {
    const milliseconds = timeout * 1_000;
    this.dispatcher = new EnvHttpProxyAgent({
      connections: MAX_CONNECTIONS,
      connect: { timeout: milliseconds },
      headersTimeout: milliseconds,
      bodyTimeout: milliseconds,
    });
  }

  /**
   * @param path below the account, with its query
   * @throws Error if there is no response; its `code` says why
   */
  get(path: string): Promise<ProviderResponse> {
    return this.send('GET', path);
  }

  /**
   * @param path below the account
   * @param parameters of the form; a list repeats its name for each value
   * @throws Error if there is no response; its `code` says why
   */
  post(path: string, parameters: Metadata): Promise<ProviderResponse> {
    return this.send('POST', path, encodeForm(parameters));
  }

  private async send(method: 'GET' | 'POST', path: string, form?: string): Promise<ProviderResponse> {
    const { sid, token } = this.account;
    const { statusCode, body } = await request(`${await this.baseUrl()}/2010-04-01/Accounts/${sid}/${path}`, {
      method,
      dispatcher: this.dispatcher,
      headers: {
        Accept: 'application/json',
        Authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString('base64')}`,
        'User-Agent': 'scfm',
        ...(form !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
      },
      body: form,
    });
    return { statusCode, body: await body.text() };
  }
}

function encodeForm(parameters: Metadata): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) {
      const text = textOf(one);
      if (text !== undefined) form.append(name, text);
    }
  }
  return form.toString();
}

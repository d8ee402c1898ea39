import { EnvHttpProxyAgent, request } from 'undici';
import type { RequestOptions } from 'twilio/lib/base/RequestClient.js';
import { textOf } from '../metadata/client-values.js';
import type { Metadata } from '../metadata/metadata.js';
import type { ProviderAnswer } from './placement.js';

/** Where the `twilio` package believes the API to be. */
export const TWILIO_API = 'https://api.twilio.com';

/** Connections to the provider, at the most: more than a process ever has requests under way. */
const CONNECTIONS = 200;

/**
 * An HTTP client for the `twilio` package that asks another address than Twilio's. It sends each request once, and follows nothing. The
 * package's own makes half of the work of a dial.
 */
export class AddressedClient {
  private readonly dispatcher: EnvHttpProxyAgent;

  /**
   * @param base where the API is
   * @param timeout of connecting, and of the answer, in milliseconds
   */
  constructor(
    private readonly base: string,
    timeout: number,
  ) {
    this.dispatcher = new EnvHttpProxyAgent({
      connections: CONNECTIONS,
      connect: { timeout },
      headersTimeout: timeout,
      bodyTimeout: timeout,
    });
  }

  /** @throws Error when there is no answer; its `code` says why */
  async request({ method, uri, username, password, headers, params, data }: RequestOptions): Promise<ProviderAnswer> {
    const url = `${uri.replace(TWILIO_API, this.base)}${params ? `?${formOf(params as Metadata)}` : ''}`;
    const credentials = Buffer.from(`${username}:${password}`).toString('base64');
    const { statusCode, body } = await request(url, {
      method: method.toUpperCase() as 'GET' | 'POST',
      dispatcher: this.dispatcher,
      headers: { ...(headers as Record<string, string>), Authorization: `Basic ${credentials}` },
      ...(data !== undefined && { body: formOf(data as Metadata) }),
    });
    return { statusCode, body: await body.text() };
  }
}

/** As a form; a list is its name again for each value. */
function formOf(parameters: Metadata): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) {
      const text = textOf(one);
      if (text !== undefined) form.append(name, text);
    }
  }
  return form.toString();
}

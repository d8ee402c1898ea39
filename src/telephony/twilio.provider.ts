import twilio from 'twilio';
import type RequestClient from 'twilio/lib/base/RequestClient.js';
import type { Account } from '../config/platform.js';
import { type Metadata, isJsonObject } from '../metadata/metadata.js';
import { AddressedClient, TWILIO_API } from './addressed-client.js';
import { type ProviderAnswer, sortAnswer, sortError } from './placement.js';
import { type Placement, Provider, type RemoteCall } from './provider.js';

const CALLS_SHOWN = 50;

/** The largest page of calls. Source: https://www.twilio.com/docs/usage/twilios-response (list paging information) */
const LARGEST_PAGE = 1_000;

interface CallList {
  calls?: RemoteCall[];
  /** The path and query of the next page; null on the last one. */
  next_page_uri?: string | null;
}

/** The calls of one account, through the `twilio` package: at Twilio, or at another address that speaks its API. */
export class TwilioProvider extends Provider {
  private client?: Promise<twilio.Twilio>;

  /**
   * @param baseUrl where the API is; asked for when it is first needed
   * @param timeout of a request, in seconds
   */
  constructor(
    private readonly account: Account,
    private readonly baseUrl: () => Promise<string>,
    private readonly timeout: number,
  ) {
    super();
  }

  async place(parameters: Metadata): Promise<Placement> {
    const data = Object.fromEntries(Object.entries(parameters).map(([key, value]) => [parameterName(key), value]));
    try {
      return sortAnswer(await this.request('post', 'Calls.json', { data }));
    } catch (error) {
      return sortError(error);
    }
  }

  async find(sid: string): Promise<RemoteCall | undefined> {
    const answer = await this.request('get', `Calls/${encodeURIComponent(sid)}.json`, {});
    if (answer.statusCode === 404) return undefined;
    return bodyOf(answer) as RemoteCall;
  }

  /** Without a filter by time: Twilio's `StartTime` is when a call started, which one in its queue has not. */
  async callsTo(msisdn: string): Promise<RemoteCall[]> {
    const params = { To: msisdn, PageSize: CALLS_SHOWN };
    const list = bodyOf(await this.request('get', 'Calls.json', { params })) as CallList;
    return outbound(list).toReversed();
  }

  async *latestCalls(): AsyncGenerator<RemoteCall[]> {
    let page: string | undefined = `Calls.json?PageSize=${LARGEST_PAGE}`;
    while (page) {
      const list = bodyOf(await this.request('get', page, {})) as CallList;
      yield outbound(list);
      page = /Calls\.json\?.*$/.exec(list.next_page_uri ?? '')?.[0];
    }
  }

  /** @throws Error when there is no answer */
  private async request(method: 'get' | 'post', path: string, content: Metadata): Promise<ProviderAnswer> {
    this.client ??= this.baseUrl().then((base) => this.connect(base));
    const client = await this.client;
    const uri = `${TWILIO_API}/2010-04-01/Accounts/${this.account.sid}/${path}`;
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    // The package's types speak of its own later answer; this is what its HTTP client returns.
    return (await client.request({ method, uri, headers, ...content } as never)) as ProviderAnswer;
  }

  /** The package knows Twilio's address only; its HTTP client is what can be turned to another. */
  private connect(base: string): twilio.Twilio {
    const httpClient = new AddressedClient(base, this.timeout * 1_000) as unknown as RequestClient;
    // Somleng's account ids do not begin as Twilio's do, which the package insists on.
    const client = twilio(`AC${this.account.sid}`, this.account.token, { httpClient, autoRetry: false });
    client.username = this.account.sid;
    return client;
  }
}

function outbound({ calls = [] }: CallList): RemoteCall[] {
  return calls.filter(({ direction }) => direction !== 'inbound');
}

/** `status_callback_event` is `StatusCallbackEvent`, by Twilio's naming. */
function parameterName(key: string): string {
  return key.replaceAll(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}

function bodyOf({ statusCode, body }: ProviderAnswer): unknown {
  const parsed: unknown = typeof body === 'string' ? JSON.parse(body) : body;
  if (statusCode < 200 || statusCode >= 300 || !isJsonObject(parsed)) throw new Error(`HTTP ${statusCode}`);
  return parsed;
}

import type { Account } from '../../config/platform.js';
import { type Metadata, isJsonObject } from '../../metadata/metadata.js';
import { type Ending, type Placement, type RemoteCall, TelephonyProvider } from '../telephony-provider.js';
import type { EndStatus } from '../end-status.js';
import { classifyEnding, classifyError, classifyPlacement } from './classify-response.js';
import { type ProviderResponse, TwilioApi } from './twilio-api.js';

/** How many of the latest calls to a number are listed. */
const CALLS_LISTED = 50;

/** The largest page of calls. Source: https://www.twilio.com/docs/usage/twilios-response (list paging information) */
const MAX_PAGE_SIZE = 1_000;

interface CallList {
  calls?: RemoteCall[];
  /** The path and query of the next page; null on the last one. */
  next_page_uri?: string | null;
}

/** Places, ends and reads the calls of one account through Twilio's REST API. */
export class TwilioProvider extends TelephonyProvider {
  private readonly api: TwilioApi;

  /**
   * @param baseUrl resolves to the address of the API, without a slash at the end
   * @param timeout of a request (s)
   */
  constructor(account: Account, baseUrl: () => Promise<string>, timeout: number) {
    super();
    this.api = new TwilioApi(account, baseUrl, timeout);
  }

  async placeCall(parameters: Metadata): Promise<Placement> {
    const form = Object.fromEntries(Object.entries(parameters).map(([key, value]) => [toParameterName(key), value]));
    try {
      return classifyPlacement(await this.api.post('Calls.json', form));
    } catch (error) {
      return classifyError(error);
    }
  }

  async endCall(sid: string, status: EndStatus): Promise<Ending> {
    try {
      return classifyEnding(await this.api.post(pathOf(sid), { Status: status }), status);
    } catch (error) {
      return classifyError(error);
    }
  }

  async fetchCall(sid: string): Promise<RemoteCall | undefined> {
    const response = await this.api.get(pathOf(sid));
    return response.statusCode === 404 ? undefined : (readObject(response) as RemoteCall);
  }

  /** Does not filter by time: Twilio's `StartTime` is when a call started, which a queued call has not. */
  async listCallsTo(msisdn: string): Promise<RemoteCall[]> {
    const query = new URLSearchParams({ To: msisdn, PageSize: String(CALLS_LISTED) });
    const list = readObject(await this.api.get(`Calls.json?${query.toString()}`)) as CallList;
    return outboundCalls(list).toReversed();
  }

  async *listCalls(): AsyncGenerator<RemoteCall[]> {
    let page: string | undefined = `Calls.json?PageSize=${MAX_PAGE_SIZE}`;
    while (page) {
      const list = readObject(await this.api.get(page)) as CallList;
      yield outboundCalls(list);
      page = /Calls\.json\?.*$/.exec(list.next_page_uri ?? '')?.[0];
    }
  }
}

function pathOf(sid: string): string {
  return `Calls/${encodeURIComponent(sid)}.json`;
}

function outboundCalls({ calls = [] }: CallList): RemoteCall[] {
  return calls.filter(({ direction }) => direction !== 'inbound');
}

/** `status_callback_event` becomes `StatusCallbackEvent`. */
function toParameterName(key: string): string {
  return key.replaceAll(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}

/** @throws Error unless the response is a success with a JSON object */
function readObject({ statusCode, body }: ProviderResponse): Metadata {
  const parsed: unknown = JSON.parse(body);
  if (statusCode < 200 || statusCode >= 300 || !isJsonObject(parsed)) throw new Error(`HTTP ${statusCode}`);
  return parsed;
}

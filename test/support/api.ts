import { eventually } from './eventually.js';

// oxlint-disable-next-line typescript/no-explicit-any -- tests check the shape of the API's JSON
export type Body = any;

/** A response of the API. */
export interface ApiResponse {
  status: number;
  headers: Headers;
  /** The parsed JSON; undefined for any other content type. */
  body: Body;
  text: string;
}

/** A client of the API. It neither throws on an error status nor follows redirects. */
export class Api {
  constructor(readonly url: string) {}

  get(path: string, headers: Record<string, string> = {}): Promise<ApiResponse> {
    return this.send('GET', path, undefined, headers);
  }

  /** @param body a string is sent as a form, `FormData` as multipart, and any other object as JSON */
  post(path: string, body?: string | object): Promise<ApiResponse> {
    return this.send('POST', path, body);
  }

  patch(path: string, body: string | object): Promise<ApiResponse> {
    return this.send('PATCH', path, body);
  }

  put(path: string, body: string | object): Promise<ApiResponse> {
    return this.send('PUT', path, body);
  }

  delete(path: string): Promise<ApiResponse> {
    return this.send('DELETE', path);
  }

  /** Sends a request with any method. `body` is encoded as in `post`. */
  async send(
    method: string,
    path: string,
    body?: string | object,
    headers: Record<string, string> = {},
  ): Promise<ApiResponse> {
    const sent = encodeBody(body);
    const response = await fetch(this.url + path, {
      method,
      body: sent?.content,
      headers: { ...(sent?.type && { 'Content-Type': sent.type }), ...headers },
      redirect: 'manual',
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined };
  }

  /** Creates contacts. @returns their ids, in the same order */
  async createContacts(...contacts: object[]): Promise<number[]> {
    const ids: number[] = [];
    for (const contact of contacts) ids.push((await this.post('/api/contacts', contact)).body.id);
    return ids;
  }

  /** Creates a callout. @returns its id */
  async createCallout(): Promise<number> {
    return (await this.post('/api/callouts')).body.id;
  }

  /** Creates a callout population in status `preview`. @returns its id */
  async createPopulation(calloutId: number, parameters: object = {}): Promise<number> {
    const type = 'BatchOperation::CalloutPopulation';
    return (await this.post(`/api/callouts/${calloutId}/batch_operations`, { type, parameters })).body.id;
  }

  /**
   * Queues a batch operation and waits until it has ended.
   *
   * @param event `queue` or `requeue`
   * @returns the batch operation as JSON
   */
  async runBatchOperation(batchOperationId: number, event = 'queue'): Promise<Body> {
    await this.post(`/api/batch_operations/${batchOperationId}/batch_operation_events`, { event });
    return this.waitForBatchOperation(batchOperationId);
  }

  /** Waits until a batch operation is `finished` or `failed`. @returns it as JSON */
  waitForBatchOperation(batchOperationId: number): Promise<Body> {
    return eventually(async () => {
      const { body } = await this.get(`/api/batch_operations/${batchOperationId}`);
      return ['finished', 'failed'].includes(body?.status) && body;
    });
  }

  /** Reads all pages of a list. @returns the ids in the order of the list */
  async listIds(path: string): Promise<number[]> {
    const ids: number[] = [];
    for (let page = 1; ; page++) {
      const separator = path.includes('?') ? '&' : '?';
      const { body, headers, status, text } = await this.get(`${path}${separator}per_page=1000&page=${page}`);
      if (status !== 200) throw new Error(`${path}: ${text}`);
      ids.push(...body.map((record: Body) => record.id));
      if (ids.length >= Number(headers.get('total'))) return ids;
    }
  }
}

function encodeBody(body?: string | object): { content: string | FormData; type?: string } | undefined {
  if (body === undefined) return undefined;
  if (typeof body === 'string') return { content: body, type: 'application/x-www-form-urlencoded' };
  return body instanceof FormData ? { content: body } : { content: JSON.stringify(body), type: 'application/json' };
}

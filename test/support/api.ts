import { eventually } from './eventually.js';

// oxlint-disable-next-line typescript/no-explicit-any -- what the API answers is what the tests are about
export type Body = any;

export interface ApiResponse {
  status: number;
  headers: Headers;
  body: Body;
  text: string;
}

/** A client of the API that hides nothing. */
export class Api {
  constructor(readonly url: string) {}

  get(path: string, headers: Record<string, string> = {}): Promise<ApiResponse> {
    return this.send('GET', path, undefined, headers);
  }

  /** Sends a form when `body` is a text, else JSON. */
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

  /** Creates a contact for each number and answers their ids. */
  async createContacts(...contacts: object[]): Promise<number[]> {
    const ids: number[] = [];
    for (const contact of contacts) ids.push((await this.post('/api/contacts', contact)).body.id);
    return ids;
  }

  async createCallout(): Promise<number> {
    return (await this.post('/api/callouts')).body.id;
  }

  /** Creates a population of a callout, to be previewed. */
  async createPopulation(calloutId: number, parameters: object = {}): Promise<number> {
    const type = 'BatchOperation::CalloutPopulation';
    return (await this.post(`/api/callouts/${calloutId}/batch_operations`, { type, parameters })).body.id;
  }

  /** Queues a batch operation (`queue` or `requeue`), and waits for its end. Answers it. */
  async runBatchOperation(batchOperationId: number, event = 'queue'): Promise<Body> {
    await this.post(`/api/batch_operations/${batchOperationId}/batch_operation_events`, { event });
    return this.waitForBatchOperation(batchOperationId);
  }

  /** Waits until a batch operation has finished or failed. Answers it. */
  waitForBatchOperation(batchOperationId: number): Promise<Body> {
    return eventually(async () => {
      const { body } = await this.get(`/api/batch_operations/${batchOperationId}`);
      return ['finished', 'failed'].includes(body?.status) && body;
    });
  }

  /** The ids that a list holds, page by page, in its order. */
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

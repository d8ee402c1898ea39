import { once } from 'node:events';
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A fixed response to a path. */
export interface StubResponse {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** The response is sent once this has resolved. */
  after?: Promise<unknown>;
}

/** An HTTP server with fixed responses that records its requests. */
export class StubServer {
  /** The paths of all requests so far, with their query strings. */
  readonly requestedPaths: string[] = [];
  /** The forms that were received, in order. */
  readonly forms: URLSearchParams[] = [];
  /** The headers of the requests with these forms. */
  readonly headersOfForms: IncomingHttpHeaders[] = [];

  private constructor(private readonly server: Server) {}

  /** @param responses the response at each path. Any other path has an empty response with status 200. */
  static async start(responses: Record<string, StubResponse> = {}): Promise<StubServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const started = new StubServer(server);
    server.on('request', (request, response) => void started.respond(request, response, responses));
    return started;
  }

  private async respond(
    request: IncomingMessage,
    response: ServerResponse,
    responses: Record<string, StubResponse>,
  ): Promise<void> {
    const { url = '' } = request;
    this.requestedPaths.push(url);
    const form = await text(request);
    if (form !== '') {
      this.forms.push(new URLSearchParams(form));
      this.headersOfForms.push(request.headers);
    }
    const { status = 200, headers = {}, body = '', after } = responses[url] ?? {};
    await after;
    response.writeHead(status, headers).end(body);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

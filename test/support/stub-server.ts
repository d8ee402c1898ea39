import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface StubResponse {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** The answer is sent after this. */
  after?: Promise<unknown>;
}

/** A web server on this machine that is no part of the program, and remembers what it was asked for. */
export class StubServer {
  /** The paths of all requests so far. */
  readonly requestedPaths: string[] = [];
  /** The forms that were sent, in their order. */
  readonly forms: URLSearchParams[] = [];

  private constructor(private readonly server: Server) {}

  /** @param answers what is at each path; at any other there is an empty answer */
  static async start(answers: Record<string, StubResponse> = {}): Promise<StubServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const started = new StubServer(server);
    server.on('request', (request, response) => void started.respond(request, response, answers));
    return started;
  }

  private async respond(
    request: IncomingMessage,
    response: ServerResponse,
    answers: Record<string, StubResponse>,
  ): Promise<void> {
    const { url = '' } = request;
    this.requestedPaths.push(url);
    const form = await text(request);
    if (form !== '') this.forms.push(new URLSearchParams(form));
    const { status = 200, headers = {}, body = '', after } = answers[url] ?? {};
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

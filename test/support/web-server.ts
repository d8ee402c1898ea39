import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A web server on this machine that is no part of the program, and remembers what it was asked for. */
export class WebServer {
  /** The paths of all requests so far. */
  readonly asked: string[] = [];

  private constructor(private readonly server: Server) {}

  /** @param answers what is at each path; at any other there is an empty answer */
  static async start(answers: Record<string, Answer> = {}): Promise<WebServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const started = new WebServer(server);
    server.on('request', ({ url = '' }, response) => {
      started.asked.push(url);
      const { status = 200, headers = {}, body = '' } = answers[url] ?? {};
      response.writeHead(status, headers).end(body);
    });
    return started;
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

import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * How webhooks are delivered to the programs: each to the next program in turn, or each to all programs, sequentially
 * (`twice`) or concurrently (`twice at once`).
 */
export type Delivery = 'in turn' | 'twice' | 'twice at once';

interface ForwardedResponse {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** How long a program may take to respond (ms). This is longer than the provider waits. */
const TIMEOUT_MS = 20_000;

/** A load balancer in front of several programs. It can deliver each request to all of them. */
export class Relay {
  private forwarded = 0;
  private programs: string[] = [];
  private delivery: Delivery = 'in turn';

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.forward(request, response));
  }

  static async start(): Promise<Relay> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Sets the programs that receive the requests from now on, by URL. */
  forwardTo(programs: string[], delivery: Delivery): void {
    this.programs = programs;
    this.delivery = delivery;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const fetchFrom = async (program: string): Promise<ForwardedResponse> => {
      const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
      const answer = await fetch(program + request.url, {
        method: request.method,
        headers: headers as Record<string, string>,
        ...(body.length > 0 && { body }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const {
        connection: _,
        'content-length': __,
        'transfer-encoding': ___,
        ...kept
      } = Object.fromEntries(answer.headers);
      return { status: answer.status, headers: kept, text: await answer.text() };
    };
    // A program that does not respond leads to 502, as with other load balancers.
    const send = (program: string): Promise<ForwardedResponse> =>
      fetchFrom(program).catch((error: Error) => ({ status: 502, headers: {}, text: error.message }));
    const turn = this.programs[this.forwarded++ % this.programs.length]!;
    const answers: ForwardedResponse[] = [];
    if (this.delivery === 'in turn') answers.push(await send(turn));
    else if (this.delivery === 'twice') for (const program of this.programs) answers.push(await send(program));
    else answers.push(...(await Promise.all(this.programs.map(send))));
    // Different responses to the same webhook are a bug: the 500 makes the call flow fail.
    const agreed = new Set(answers.map(({ status, text }) => `${status} ${text}`)).size === 1;
    const last = answers.at(-1)!;
    response.writeHead(agreed ? last.status : 500, last.headers).end(last.text);
  }
}

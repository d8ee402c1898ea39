import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A TCP proxy in front of a server. It can refuse connections, drop them, and delay traffic. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private delayMs = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** Starts a proxy on a free port of 127.0.0.1, which forwards to the server at `host` and `port`. */
  static async startFor(port: number, host = '127.0.0.1'): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new TcpProxy(server, (server.address() as AddressInfo).port);
    server.on('connection', (socket) => proxy.connectSockets(socket, connect(port, host)));
    return proxy;
  }

  /** Drops all connections, and refuses new ones until `open`. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.dropConnections();
    await closed;
  }

  /** Accepts connections again, and removes the delay. */
  async open(): Promise<void> {
    this.delayMs = 0;
    if (this.server.listening) return;
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** Drops the open connections. New ones are accepted. */
  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Delays each chunk of data in both directions. @param milliseconds the delay; 0 for none */
  setDelay(milliseconds: number): void {
    this.delayMs = milliseconds;
  }

  private connectSockets(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => from.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      void this.pipe(from, to);
    }
  }

  private async pipe(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const data of from) {
        if (this.delayMs > 0) await pause(this.delayMs);
        if (!to.writable) return;
        to.write(data as Buffer);
      }
      to.end();
    } catch {
      // The connection was dropped.
    }
  }
}

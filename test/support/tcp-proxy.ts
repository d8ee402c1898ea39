import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Stands before a server, and lets nobody through, or only slowly, when it is told so. The server itself knows nothing of it. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private delayMs = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** A gate that is open, before a server, by default of this machine. */
  static async startFor(port: number, host = '127.0.0.1'): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gate = new TcpProxy(server, (server.address() as AddressInfo).port);
    server.on('connection', (socket) => gate.connectSockets(socket, connect(port, host)));
    return gate;
  }

  /** Refuses connections, and breaks off those there are. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.dropConnections();
    await closed;
  }

  async open(): Promise<void> {
    this.delayMs = 0;
    if (this.server.listening) return;
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** Breaks off the connections there are; new ones are let through. */
  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** From now on, whatever is sent arrives so many milliseconds later, either way. */
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
      // Broken off.
    }
  }
}

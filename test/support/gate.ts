import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Stands before a server, and lets nobody through, or only slowly, when it is told so. The server itself knows nothing of it. */
export class Gate {
  private readonly sockets = new Set<Socket>();
  private delay = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** A gate that is open, before a server, by default of this machine. */
  static async before(port: number, host = '127.0.0.1'): Promise<Gate> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gate = new Gate(server, (server.address() as AddressInfo).port);
    server.on('connection', (socket) => gate.pass(socket, connect(port, host)));
    return gate;
  }

  /** Refuses connections, and breaks off those there are. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.breakOff();
    await closed;
  }

  async open(): Promise<void> {
    this.delay = 0;
    if (this.server.listening) return;
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** Breaks off the connections there are; new ones are let through. */
  breakOff(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** From now on, whatever is sent arrives so many milliseconds later, either way. */
  slow(milliseconds: number): void {
    this.delay = milliseconds;
  }

  private pass(near: Socket, far: Socket): void {
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
      void this.carry(from, to);
    }
  }

  private async carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const data of from) {
        if (this.delay > 0) await pause(this.delay);
        if (!to.writable) return;
        to.write(data as Buffer);
      }
      to.end();
    } catch {
      // Broken off.
    }
  }
}

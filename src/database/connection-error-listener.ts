import type { EventEmitter } from 'node:events';
import type { DataSource } from 'typeorm';

/**
 * Ignores the `error` events of connections to PostgreSQL. A connection may break before TypeORM listens to it, and an
 * `error` event without a listener ends the process. The next statement on the connection fails with that error.
 */
export function ignoreConnectionErrors({ driver }: DataSource): void {
  const { master } = driver as unknown as { master: EventEmitter };
  master.on('connect', (connection: EventEmitter) => connection.on('error', () => undefined));
}

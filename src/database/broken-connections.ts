import type { EventEmitter } from 'node:events';
import type { DataSource } from 'typeorm';

/**
 * Lets the process survive a connection to PostgreSQL that breaks just when it was made, before TypeORM listens to it: an error that nobody
 * listens to would end the process. Whoever uses the connection is told by the failure of the statement.
 */
export function surviveBrokenConnections({ driver }: DataSource): void {
  const { master } = driver as unknown as { master: EventEmitter };
  master.on('connect', (connection: EventEmitter) => connection.on('error', () => undefined));
}

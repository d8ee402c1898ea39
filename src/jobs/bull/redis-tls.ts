import { once } from 'node:events';
import { connect as connectPlainly, type Socket } from 'node:net';
import { connect as connectEncrypted } from 'node:tls';
import { ConfigError } from '../../errors/config-error.js';
import type { RedisConfig } from '../../config/redis.js';

/** How long Redis may take for each response (ms). */
const TIMEOUT = 3_000;

/** Error codes of a connection that failed or was closed. Redis is unreachable, and the settings may be correct. */
const UNREACHABLE = /^(?:ECONN|ENOTFOUND|EAI_|ENET|EHOST|ETIMEDOUT|EPIPE|ABORT_ERR)/;

/** Error codes of a TLS handshake with a server that does not speak TLS. */
const NOT_TLS = /^(?:EPROTO|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST))$/;

/**
 * Verifies the certificate of the Redis of a `rediss://` URL before a password is sent. If Redis is unreachable,
 * nothing is verified, and the client checks each later connection itself.
 * @throws ConfigError when its certificate is not trusted or belongs to another host, or when it does not use TLS
 */
export async function verifyRedisTls({ host, port, tls }: RedisConfig): Promise<void> {
  if (!tls) return;
  try {
    await waitFor(connectEncrypted({ host, port, ...tls }), 'secureConnect');
  } catch (error) {
    const { code, message, reason = message } = error as NodeJS.ErrnoException & { reason?: string };
    if (code === undefined || UNREACHABLE.test(code)) {
      if (await respondsWithoutTls(host, port)) throw notEncryptedError();
      return;
    }
    if (NOT_TLS.test(code)) throw notEncryptedError();
    throw new ConfigError(
      `REDIS_URL names a Redis that cannot be trusted: ${reason.replace(/[.:\s]+$/, '')} ` +
        '(REDIS_CA_FILE names the authorities whose certificates are accepted).',
    );
  }
}

function notEncryptedError(): ConfigError {
  return new ConfigError(
    'REDIS_URL begins with rediss://, but that Redis does not encrypt: it must be redis://, or another port.',
  );
}

/** @returns whether a Redis responds without TLS. It gets a `PING`, and no password */
async function respondsWithoutTls(host: string, port: number): Promise<boolean> {
  const socket = connectPlainly({ host, port });
  try {
    socket.write('PING\r\n');
    const [data] = (await waitFor(socket, 'data')) as [Buffer];
    return /^[+-]/.test(data.toString('latin1'));
  } catch {
    return false;
  }
}

/**
 * Waits for an event of a connection, and then closes the connection.
 * @returns the arguments of the event
 * @throws Error when the connection fails, closes or times out first
 */
async function waitFor(socket: Socket, event: string): Promise<unknown[]> {
  try {
    const ended = once(socket, 'close').then(() => {
      throw new Error('the connection was closed');
    });
    // The promise may reject after the race is over.
    ended.catch(() => {});
    return await Promise.race([once(socket, event, { signal: AbortSignal.timeout(TIMEOUT) }), ended]);
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

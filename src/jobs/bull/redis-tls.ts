import { once } from 'node:events';
import { connect as connectPlainly, type Socket } from 'node:net';
import { connect as connectEncrypted } from 'node:tls';
import { ConfigError } from '../../errors/config-error.js';
import type { RedisConfig } from '../../config/redis.js';

/** How long Redis may take for each answer, in milliseconds. */
const TIMEOUT = 3_000;

/** Errors of a connection that could not be made, or was broken off: Redis is away, which is no fault of the settings. */
const UNREACHABLE = /^(?:ECONN|ENOTFOUND|EAI_|ENET|EHOST|ETIMEDOUT|EPIPE|ABORT_ERR)/;
/** Errors of TLS over what the other side has sent, which was no TLS. */
const NOT_TLS = /^(?:EPROTO|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST))$/;

/**
 * Makes sure, before a password is sent, that the Redis of a `rediss://` URL can be trusted. It may be away: then nothing is known, and each
 * later connection is checked by the client itself.
 *
 * @throws ConfigError when its certificate is not trusted or is of another host, or when it does not encrypt
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

/** Whether a Redis answers there without encryption. It is asked for nothing that needs a password. */
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

/** Waits for an event of a connection, and closes it. */
async function waitFor(socket: Socket, event: string): Promise<unknown[]> {
  try {
    const ended = once(socket, 'close').then(() => {
      throw new Error('the connection was closed');
    });
    // Once it is known how it went, the end is of no interest.
    ended.catch(() => {});
    return await Promise.race([once(socket, event, { signal: AbortSignal.timeout(TIMEOUT) }), ended]);
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

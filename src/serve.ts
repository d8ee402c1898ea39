import { type AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.setup.js';
import type { Config } from './config/config.js';
import { ConfigError } from './errors/config-error.js';
import { PublicUrl } from './telephony/public-url.js';
import { verifyRedisTls } from './jobs/bull/redis-tls.js';

/** How long a shutdown may take before the process exits anyway (ms). */
const SHUTDOWN_TIMEOUT = 20_000;

/**
 * The most connections that wait to be accepted. The provider's webhooks come in bursts. The system may allow fewer.
 */
const LISTEN_BACKLOG = 4_096;

/**
 * Starts the program. On SIGINT or SIGTERM it finishes open requests and the current chunks of work, and exits with 0.
 * @throws ConfigError when the address is not available, or when the TLS certificate of Redis is not trusted
 */
export async function serve(config: Config): Promise<void> {
  if (config.redis) await verifyRedisTls(config.redis);
  const app = await createApp(config);
  stopOnSignals(app);
  try {
    await app.listen({ port: config.port, host: config.host, backlog: LISTEN_BACKLOG });
  } catch (error) {
    if ((error as { syscall?: string }).syscall !== 'listen') throw error;
    throw new ConfigError(`HOST and PORT must be an address that is free: ${(error as Error).message}.`);
  }
  const origin = localOrigin(config, app.getHttpServer().address() as AddressInfo);
  app.get(PublicUrl).setOrigin(origin);
  logStartup(config, origin);
}

function localOrigin({ host }: Config, { port }: AddressInfo): string {
  // When listening on all addresses, this machine reaches the program at the loopback address.
  const name = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  return `http://${name}:${port}`;
}

function stopOnSignals(app: NestFastifyApplication): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), SHUTDOWN_TIMEOUT).unref();
    await app.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
}

function logStartup({ role, database, redis, servesApi, platform }: Config, origin: string): void {
  const databaseName = database.kind === 'sqlite' ? database.path : `PostgreSQL at ${new URL(database.url).host}`;
  const lines = servesApi
    ? [`API   ${origin}/api`, `Docs  ${origin}/docs`]
    : [`This process is a ${role}. Health  ${origin}/health/ready`];
  console.log(
    [
      ...lines,
      `Data  ${databaseName}`,
      `Jobs  ${redis ? `Redis at ${redis.host}:${redis.port}${redis.tls ? ', encrypted' : ''}` : 'in this process'}`,
      platform.provider === 'simulator'
        ? 'Calls are placed with the built-in simulator: NOBODY IS REALLY CALLED. PLATFORM_PROVIDER chooses a real provider.'
        : `Calls ${platform.provider} at ${new URL(platform.baseUrl ?? origin).host}`,
    ].join('\n'),
  );
}

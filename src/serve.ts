import { type AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.setup.js';
import type { Config } from './config/config.js';
import { ConfigError } from './errors/config-error.js';
import { PublicUrl } from './telephony/public-url.js';
import { verifyRedisTls } from './jobs/bull/redis-tls.js';

/** How long a stop may take before the process ends all the same, in milliseconds. */
const STOP_PATIENCE = 20_000;

/** Connections that may wait to be accepted: the provider's webhooks come in bursts. The system may allow fewer. */
const BACKLOG = 4_096;

/**
 * Runs the program until it is told to stop: requests under way are answered, workers end their chunk, and the process exits with 0.
 * @throws ConfigError when the address cannot be listened on, or Redis cannot be trusted
 */
export async function serve(config: Config): Promise<void> {
  if (config.redis) await verifyRedisTls(config.redis);
  const app = await createApp(config);
  stopOnSignals(app);
  try {
    await app.listen({ port: config.port, host: config.host, backlog: BACKLOG });
  } catch (error) {
    if ((error as { syscall?: string }).syscall !== 'listen') throw error;
    throw new ConfigError(`HOST and PORT must be an address that is free: ${(error as Error).message}.`);
  }
  const origin = originOf(config, app.getHttpServer().address() as AddressInfo);
  app.get(PublicUrl).setOrigin(origin);
  announce(config, origin);
}

function originOf({ host }: Config, { port }: AddressInfo): string {
  // Listening everywhere, it is reached from this machine at this machine's own address.
  const name = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  return `http://${name}:${port}`;
}

function stopOnSignals(app: NestFastifyApplication): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), STOP_PATIENCE).unref();
    await app.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
}

function announce({ role, database, redis, servesApi, platform }: Config, origin: string): void {
  const data = database.kind === 'sqlite' ? database.path : `PostgreSQL at ${new URL(database.url).host}`;
  const lines = servesApi
    ? [`API   ${origin}/api`, `Docs  ${origin}/docs`]
    : [`This process is a ${role}. Health  ${origin}/health/ready`];
  console.log(
    [
      ...lines,
      `Data  ${data}`,
      `Jobs  ${redis ? `Redis at ${redis.host}:${redis.port}${redis.tls ? ', encrypted' : ''}` : 'in this process'}`,
      platform.provider === 'simulator'
        ? 'Calls are placed with the built-in simulator: NOBODY IS REALLY CALLED. PLATFORM_PROVIDER chooses a real provider.'
        : `Calls ${platform.provider} at ${new URL(platform.baseUrl ?? origin).host}`,
    ].join('\n'),
  );
}

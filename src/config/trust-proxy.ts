import { isIP, isIPv4 } from 'node:net';
import { ConfigError, type Environment } from './environment.js';

/** The names that Fastify's `trustProxy` has for ranges of addresses. */
const RANGES = ['loopback', 'linklocal', 'uniquelocal'];

/**
 * Whose `X-Forwarded-…` headers are believed, as Fastify's `trustProxy` takes it: everybody's, nobody's, or those of a list.
 * @throws ConfigError for anything else, also for a number: it could mean `true`, or how many proxies there are
 */
export function readTrustProxy(env: Environment): boolean | string {
  const value = env.TRUST_PROXY || 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  const ranges = value.split(',').map((range) => range.trim());
  if (ranges.every((range) => RANGES.includes(range) || isRange(range))) return ranges.join(',');
  throw new ConfigError('TRUST_PROXY must be true, false, or a list of addresses or ranges such as 10.0.0.0/8.');
}

function isRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  if (!isIP(address) || more.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (isIPv4(address) ? 32 : 128))
  );
}

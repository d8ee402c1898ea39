import { isIP, isIPv4 } from 'node:net';
import { ConfigError } from '../errors/config-error.js';

/** The names of address ranges in Fastify's `trustProxy`. */
const RANGES = ['loopback', 'linklocal', 'uniquelocal'];

/**
 * Reads `TRUST_PROXY`.
 *
 * @returns the value of Fastify's `trustProxy`: the peers whose `X-Forwarded-…` headers are trusted
 * @throws ConfigError for any other value. A number is refused because it could mean `true`, or the number of proxies
 */
export function readTrustProxy(value: string): boolean | string {
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

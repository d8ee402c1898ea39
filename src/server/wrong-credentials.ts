import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

/** The most wrong credentials of one address in a window. */
const MAX_WRONG = 10;
/** How long a window lasts after its first wrong credentials (ms). */
const WINDOW = 60_000;
/** The most addresses to remember. The least recently used one is dropped first. */
const MAX_ADDRESSES = 10_000;

/** Counts wrong credentials by the address that sent them, as a protection against password guessing. */
export class WrongCredentials {
  private readonly counts: LRUCache<string, { wrong: number }>;

  /** @param clock a monotonic clock (ms) */
  constructor(clock: { now(): number } = performance) {
    this.counts = new LRUCache({ max: MAX_ADDRESSES, ttl: WINDOW, ttlResolution: 0, perf: clock });
  }

  /** @returns how long the address must wait (s); 0 if it may send credentials now */
  retryAfter(ip: string): number {
    const network = networkOf(ip);
    if ((this.counts.get(network)?.wrong ?? 0) < MAX_WRONG) return 0;
    return Math.max(1, Math.ceil(this.counts.getRemainingTTL(network) / 1_000));
  }

  /**
   * Counts wrong credentials.
   * @returns true exactly when the address reaches the limit
   */
  add(ip: string): boolean {
    const network = networkOf(ip);
    const count = this.counts.get(network);
    if (!count) this.counts.set(network, { wrong: 1 });
    else count.wrong++;
    return count?.wrong === MAX_WRONG;
  }
}

/**
 * @returns the key by which clients are counted: the IPv4 address, also when it is mapped to IPv6; or the /64 network
 *   of an IPv6 address, because one subscriber can use all addresses of such a network (RFC 6177)
 */
export function networkOf(ip: string): string {
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}

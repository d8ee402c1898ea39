import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

/** Wrong credentials that one address may send in a window (contract part 2, section 16). */
const MAX_WRONG = 10;
/** The length of a window, from its first wrong credentials on, in milliseconds. */
const WINDOW = 60_000;
/** Addresses that are remembered. Those that were quiet for longest are forgotten first, so that a crowd of them costs no memory. */
const MAX_ADDRESSES = 10_000;

/** Counts wrong credentials by the address that sent them, so that nobody can try one password after the other. */
export class WrongCredentials {
  private readonly counts: LRUCache<string, { wrong: number }>;

  /** @param clock in milliseconds, which never steps back */
  constructor(clock: { now(): number } = performance) {
    this.counts = new LRUCache({ max: MAX_ADDRESSES, ttl: WINDOW, ttlResolution: 0, perf: clock });
  }

  /** @returns in how many seconds the address is heard again; 0 if it is heard now */
  retryAfter(ip: string): number {
    const network = networkOf(ip);
    if ((this.counts.get(network)?.wrong ?? 0) < MAX_WRONG) return 0;
    return Math.max(1, Math.ceil(this.counts.getRemainingTTL(network) / 1_000));
  }

  /** @returns whether these were the last that the address may send in this window */
  add(ip: string): boolean {
    const network = networkOf(ip);
    const count = this.counts.get(network);
    if (!count) this.counts.set(network, { wrong: 1 });
    else count.wrong++;
    return count?.wrong === MAX_WRONG;
  }
}

/**
 * What stands for the sender of a request: an IPv4 address, also one that is mapped into IPv6; or an IPv6 network of 64 bits, all addresses of
 * which one subscriber has at hand (RFC 6177).
 */
export function networkOf(ip: string): string {
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}

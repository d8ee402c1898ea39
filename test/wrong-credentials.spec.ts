import { describe, expect, it } from 'vitest';
import { networkOf, WrongCredentials } from '../src/server/wrong-credentials.js';

describe('networkOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s is %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});

describe('WrongCredentials', () => {
  it('blocks an address after ten, until a minute after the first', () => {
    let now = 1_000;
    const wrong = new WrongCredentials({ now: () => now });
    expect(Array.from({ length: 9 }, () => wrong.add('192.0.2.1'))).not.toContain(true);
    now += 50_000;
    expect(wrong.retryAfter('192.0.2.1')).toBe(0);
    expect(wrong.add('192.0.2.1')).toBe(true);
    // Concurrent ones do not report the limit again.
    expect(wrong.add('192.0.2.1')).toBe(false);
    expect(wrong.retryAfter('192.0.2.1')).toBe(10);
    expect(wrong.retryAfter('192.0.2.2')).toBe(0);
    now += 10_001;
    expect(wrong.retryAfter('192.0.2.1')).toBe(0);
    expect(wrong.add('192.0.2.1')).toBe(false);
  });

  it('remembers at most ten thousand addresses', () => {
    const wrong = new WrongCredentials();
    for (let count = 0; count < 10; count++) wrong.add('192.0.2.1');
    for (let one = 0; one < 10_000; one++) wrong.add(`10.1.${one >> 8}.${one & 255}`);
    expect(wrong.retryAfter('192.0.2.1')).toBe(0);
  });
});

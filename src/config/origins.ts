import { ConfigError } from '../errors/config-error.js';

/**
 * Reads a list of origins, separated by commas. The port `*` is any port.
 *
 * @param name the name of the setting, for the error
 * @param value the text of the list
 * @throws ConfigError when an entry is not an origin
 */
export function readOrigins(name: string, value = ''): string[] {
  const entries = value.split(',').map((entry) => entry.trim());
  return entries.filter(Boolean).map((entry) => {
    const anyPort = entry.endsWith(':*');
    const address = anyPort ? entry.slice(0, -2) : entry;
    const parsed = URL.canParse(address) ? new URL(address) : undefined;
    const isOrigin = parsed && ['http:', 'https:'].includes(parsed.protocol) && parsed.href === `${parsed.origin}/`;
    if (isOrigin && !(anyPort && /:\d+$/.test(address))) return `${parsed.origin}${anyPort ? ':*' : ''}`;
    throw new ConfigError(
      `${name} must be a list of origins, separated by commas, such as http://127.0.0.1:4000 or http://127.0.0.1:*.`,
    );
  });
}

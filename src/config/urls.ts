import { ConfigError, type Environment } from './environment.js';

/**
 * The URL in a variable; undefined when it is unset.
 * @throws ConfigError when it is none, or has none of the protocols (`https:`)
 */
export function parseUrl(env: Environment, name: string, protocols: string[], example: string): URL | undefined {
  const value = env[name];
  if (!value) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // Not every URL has slashes: `redis:6379` is one without a host.
  if (!url || !protocols.includes(url.protocol) || !/^\w+:\/\//.test(value))
    throw new ConfigError(`${name} must be a URL such as ${example}.`);
  return url;
}

/**
 * The address of a web server in a variable, in its usual form and without a slash at the end, so that a path can follow it.
 * @throws ConfigError when it is none, or has a query, a fragment, a user or a password
 */
export function readWebUrl(env: Environment, name: string, example: string): string | undefined {
  const url = parseUrl(env, name, ['http:', 'https:'], example);
  if (!url) return undefined;
  // An empty query or fragment does not show in the parsed URL.
  if (/[?#]/.test(env[name]!) || url.username || url.password)
    throw new ConfigError(
      `${name} must be a URL such as ${example}, without a query, a fragment, a user or a password.`,
    );
  return (url.origin + url.pathname.replaceAll(/\/{2,}/g, '/')).replace(/\/$/, '');
}

/**
 * The user and password of a URL, decoded.
 * @throws ConfigError when they cannot be decoded
 */
export function credentialsOf(name: string, url: URL): { username?: string; password?: string } {
  return {
    ...(url.username && { username: decoded(name, url.username) }),
    ...(url.password && { password: decoded(name, url.password) }),
  };
}

/**
 * A part of a URL, decoded.
 * @throws ConfigError when it cannot be decoded
 */
export function decoded(name: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConfigError(`${name} must have its special characters encoded: write %25 for a percent sign.`);
  }
}

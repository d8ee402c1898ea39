import { ConfigError } from '../errors/config-error.js';
import type { Environment } from './environment.js';

/**
 * The URL of a setting.
 *
 * @returns undefined when the setting is unset
 * @throws ConfigError when it is not a URL, or its protocol is not one of `protocols` (`https:`)
 */
export function parseUrl(
  env: Environment,
  name: keyof Environment,
  protocols: string[],
  example: string,
): URL | undefined {
  const value = env[name];
  if (!value) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // `redis:6379` is a valid URL, but has no host.
  if (!url || !protocols.includes(url.protocol) || !/^\w+:\/\//.test(value))
    throw new ConfigError(`${name} must be a URL such as ${example}.`);
  return url;
}

/**
 * The URL of a web server in a setting, normalized and without a slash at the end, so that a path can follow it.
 *
 * @returns undefined when the setting is unset
 * @throws ConfigError when it is not a URL, or has a query, a fragment, a user or a password
 */
export function readWebUrl(env: Environment, name: keyof Environment, example: string): string | undefined {
  const url = parseUrl(env, name, ['http:', 'https:'], example);
  if (!url) return undefined;
  // The parsed URL does not show an empty query or fragment.
  if (/[?#]/.test(env[name]!) || url.username || url.password)
    throw new ConfigError(
      `${name} must be a URL such as ${example}, without a query, a fragment, a user or a password.`,
    );
  return (url.origin + url.pathname.replaceAll(/\/{2,}/g, '/')).replace(/\/$/, '');
}

/**
 * The decoded user and password of a URL.
 *
 * @throws ConfigError when they cannot be decoded
 */
export function readCredentials(name: string, url: URL): { username?: string; password?: string } {
  return {
    ...(url.username && { username: decodePart(name, url.username) }),
    ...(url.password && { password: decodePart(name, url.password) }),
  };
}

/**
 * A decoded part of a URL.
 *
 * @throws ConfigError when it cannot be decoded
 */
export function decodePart(name: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConfigError(`${name} must have its special characters encoded: write %25 for a percent sign.`);
  }
}

import { ConfigError } from '../errors/config-error.js';
import type { Environment } from './environment.js';

/**
 * Reads a setting that is a URL.
 *
 * @param protocols the permitted protocols, such as `https:`
 * @param example a valid URL, for the error
 * @returns undefined when the setting is unset
 * @throws ConfigError when the value is not a URL, or has another protocol
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
 * Reads a setting that is the URL of a web server.
 *
 * @param example a valid URL, for the error
 * @returns the normalized URL without a trailing slash, so that a path can follow it; undefined when the setting is
 *   unset
 * @throws ConfigError when the value is not a URL, or has a query, a fragment, a user or a password
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
 * Decodes the user and the password of a URL.
 *
 * @param name the name of the setting, for the error
 * @throws ConfigError when they cannot be decoded
 */
export function readCredentials(name: string, url: URL): { username?: string; password?: string } {
  return {
    ...(url.username && { username: decodePart(name, url.username) }),
    ...(url.password && { password: decodePart(name, url.password) }),
  };
}

/**
 * Decodes a part of a URL.
 *
 * @param name the name of the setting, for the error
 * @throws ConfigError when it cannot be decoded
 */
export function decodePart(name: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConfigError(`${name} must have its special characters encoded: write %25 for a percent sign.`);
  }
}

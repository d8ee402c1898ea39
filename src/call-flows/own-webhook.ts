import { normalizeUrl } from '../server/normalize-url.js';
import { webhookUrl } from './webhook-url.js';

/** The names by which a machine reaches itself. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Whether requests to a URL reach the webhook of this program. Spellings that our routes accept count: a slash or a
 * format at the end, any query. The protocol does not matter, since web servers redirect `http:` to `https:`.
 * @param addresses where this program is reached, each with the path prefix that it has there
 */
export function isWebhookUrl(url: string, addresses: readonly string[]): boolean {
  return URL.canParse(url) && addresses.some((address) => isWebhookAt(new URL(address), new URL(url)));
}

function isWebhookAt(address: URL, url: URL): boolean {
  const prefix = address.pathname.replace(/\/$/, '');
  if (hostOf(url) !== hostOf(address) || !url.pathname.startsWith(`${prefix}/`)) return false;
  return normalizeUrl({ method: 'POST', url: url.pathname.slice(prefix.length) }) === webhookUrl('');
}

/** The host with its port, unless that is the protocol's own. */
function hostOf({ hostname, port }: URL): string {
  return `${LOOPBACK.includes(hostname) ? LOOPBACK[0] : hostname}:${port}`;
}

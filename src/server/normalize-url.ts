/**
 * A path of the API or of a health check, with an optional format and trailing slash. (In other paths a format is part
 * of the name: the files of /docs, and the provider's API in the simulator.)
 */
const OPTIONAL_SUFFIX = /^(\/(?:api|health)\/[^?]*?)(\.json)?\/?(\?.*)?$/s;

/** The webhook returns XML, so its URL may have the format `.xml`. */
const WEBHOOK_XML_SUFFIX = /^(\/api\/remote_phone_call_events)\.xml\/?(\?.*)?$/s;

/**
 * Removes an optional format and trailing slash before a request is routed: `/api/contacts/`, `/api/contacts.json` and
 * `/api/contacts.json/` become `/api/contacts`. The request's `originalUrl` stays unchanged.
 */
export function normalizeUrl({ method = '', url = '' }: { method?: string; url?: string }): string {
  const webhook = method === 'POST' ? WEBHOOK_XML_SUFFIX.exec(url) : null;
  if (webhook) return `${webhook[1]}${webhook[2] ?? ''}`;
  const match = OPTIONAL_SUFFIX.exec(url);
  return match ? `${match[1]}${match[3] ?? ''}` : url;
}

/**
 * A path of the API or of the health checks, with what may follow it and means nothing: a format, and a slash.
 * (Elsewhere a format is part of the name: the documents of /docs, the provider's API of the simulator.)
 */
const OPTIONAL_SUFFIX = /^(\/(?:api|health)\/[^?]*?)(\.json)?\/?(\?.*)?$/s;

/** The webhook answers XML, so a provider may be told to ask for that. */
const WEBHOOK_XML_SUFFIX = /^(\/api\/remote_phone_call_events)\.xml\/?(\?.*)?$/s;

/**
 * The URL by which a request is routed: `/api/contacts/`, `/api/contacts.json` and `/api/contacts.json/` are
 * `/api/contacts`. The URL as it was sent stays the request's `originalUrl`.
 */
export function normalizeUrl({ method = '', url = '' }: { method?: string; url?: string }): string {
  const webhook = method === 'POST' ? WEBHOOK_XML_SUFFIX.exec(url) : null;
  if (webhook) return `${webhook[1]}${webhook[2] ?? ''}`;
  const match = OPTIONAL_SUFFIX.exec(url);
  return match ? `${match[1]}${match[3] ?? ''}` : url;
}

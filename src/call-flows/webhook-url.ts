/**
 * Returns the URL of our webhook. Its parameters are in alphabetical order: a provider may sort a URL's query before it
 * sends the request, and sign it unsorted (twilio-php#790, twilio-node#1079).
 * @param origin of this program as the provider reaches it, without a slash at the end
 * @param phoneCallId our id of the call, which identifies it before the provider's id is known
 * @param answer for the answer to a question: its step, and how often the question was asked
 */
export function webhookUrl(
  origin: string,
  phoneCallId?: number,
  { timesAsked, step }: { timesAsked?: number; step?: number } = {},
): string {
  const parameters = Object.entries({ asked: timesAsked, phone_call_id: phoneCallId, step }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const query = parameters.length > 0 ? [parameters.join('&')] : [];
  return [`${origin}/api/remote_phone_call_events`, ...query].join('?');
}

/** Returns our id of the call in a webhook's URL; undefined if it has none. */
export function phoneCallIdIn(query: URLSearchParams): number | undefined {
  const id = /^[1-9]\d{0,14}$/.exec(query.get('phone_call_id') ?? '')?.[0];
  return id === undefined ? undefined : Number(id);
}

/** Returns the step that a webhook answers, from its URL; undefined if it answers none. */
export function answeredStep(query: URLSearchParams): number | undefined {
  const step = query.get('phone_call_id') === null ? null : query.get('step');
  return step !== null && /^[1-9]\d{0,5}$/.test(step) ? Number(step) : undefined;
}

/** Returns how often the question had been asked that a webhook answers, from its URL; 0 if it answers none. */
export function timesAsked(query: URLSearchParams): number {
  return Number(/^\d{1,2}$/.exec(query.get('asked') ?? '')?.[0] ?? 0);
}

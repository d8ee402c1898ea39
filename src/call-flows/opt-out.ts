import { DO_NOT_CALL } from '../contacts/opted-out.js';
import type { CallFlowStep, Reply } from './call-flow.js';
import type { Phrase } from './phrases.js';
import { sayAndHangUp } from './question.js';

/** Said to a caller whose number is unknown, instead of anything that needs the number. */
export const NUMBER_HIDDEN =
  'We cannot see your number, so we cannot do that. Please call again from a phone that shows its number. Goodbye.';

/**
 * Opts the person out of further calls, and hangs up. The contact's metadata records the time and the callout.
 * @param phrases said to confirm it. A caller whose number is unknown hears {@link NUMBER_HIDDEN} instead, since there
 *   is no contact.
 */
export function optOut({ at, callout, contact }: CallFlowStep, phrases: readonly Phrase[]): Reply {
  if (!contact) return { twiml: sayAndHangUp([NUMBER_HIDDEN]) };
  const write = { contact: { [DO_NOT_CALL]: { at, callout_id: callout?.id ?? null } } };
  return { twiml: sayAndHangUp(phrases), write };
}

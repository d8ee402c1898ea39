import { DO_NOT_CALL } from '../contacts/opted-out.js';
import type { Reply, Step } from './call-flow.js';
import type { Phrase } from './phrases.js';
import { letGo } from './question.js';

/** Said to a caller whose number is not known, in place of what would need it. */
export const NUMBER_HIDDEN =
  'We cannot see your number, so we cannot do that. Please call again from a phone that shows its number. Goodbye.';

/**
 * Writes to the contact when, and in which callout, the person asked for no more calls, and says goodbye. A caller whose number is not known
 * hears that nothing could be written.
 */
export function optOut({ at, callout, contact }: Step, words: readonly Phrase[]): Reply {
  if (!contact) return { twiml: letGo([NUMBER_HIDDEN]) };
  return { twiml: letGo(words), write: { contact: { [DO_NOT_CALL]: { at, callout_id: callout?.id ?? null } } } };
}

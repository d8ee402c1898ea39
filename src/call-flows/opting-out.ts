import { DO_NOT_CALL } from '../contacts/opted-out.js';
import type { Reply, Step } from './call-flow.js';
import type { Phrase } from './phrases.js';
import { letGo } from './question.js';

/** Takes the caller off: notes when, and in which callout, they said so, and lets them go. */
export function optOut({ at, callout }: Step, words: readonly Phrase[]): Reply {
  return { twiml: letGo(words), write: { contact: { [DO_NOT_CALL]: { at, callout_id: callout?.id ?? null } } } };
}

import { now } from '../database/dialect.js';
import type { Callout } from './callout.entity.js';
import type { CalloutStatus } from './callout.machine.js';

/**
 * Returns the columns that change with the status of a callout, except `held_because` when the system holds it. A
 * callout that begins to run is on trial.
 */
export function statusColumns(
  {
    status,
    started_at,
    held_because,
    trial_ended_at,
  }: Pick<Callout, 'status' | 'started_at' | 'held_because' | 'trial_ended_at'>,
  to: CalloutStatus,
): object {
  const at = () => now.text;
  // The provider has accepted calls since the callout was last held, so its old refusal no longer counts.
  const isOver = held_because === null && trial_ended_at !== null;
  const begun = {
    ...(started_at === null && { started_at: at }),
    trial_began_at: at,
    trial_ended_at: null,
    trial_code: null,
    trial_refusals: 0,
    ...(isOver && { held_code: null }),
  };
  return {
    held_because: null,
    stopped_at: to === 'stopped' ? at : null,
    completed_at: to === 'completed' ? at : null,
    ...(to === 'running' && begun),
    // The outcomes of people who were never called depend on it (dialing/callout-outcomes.ts).
    ...((to === 'stopped') !== (status === 'stopped') && { outcomes_cursor: 0 }),
    ...(status === 'completed' && { outcomes_cursor: 0 }),
  };
}

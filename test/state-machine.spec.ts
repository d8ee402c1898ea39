import { describe, expect, it } from 'vitest';
import { batchOperationMachine, batchOperationStatuses } from '../src/batch-operations/batch-operation.machine.js';
import {
  STARTS_LATER,
  calloutMachine,
  calloutStatuses,
  calloutSystemTransitions,
} from '../src/callouts/callout.machine.js';
import { nextState } from '../src/state-machine/state-machine.js';

/** @returns every possible transition while `conditions` are true, in the notation of the contract (section 7) */
function moves<S extends string>(
  machine: Parameters<typeof nextState<S>>[0],
  statuses: readonly S[],
  conditions?: ReadonlySet<string>,
): string[] {
  return Object.keys(machine).flatMap((event) =>
    statuses.flatMap((from) => {
      const to = nextState(machine, from, event, conditions);
      return to ? [`${event} ${from}→${to}`] : [];
    }),
  );
}

describe('the state machines', () => {
  it('have exactly the transitions of the contract for a callout', () => {
    expect(moves(calloutMachine, calloutStatuses)).toEqual([
      'start initialized→running',
      'start scheduled→running',
      'pause initialized→paused',
      'pause scheduled→paused',
      'pause running→paused',
      'resume paused→running',
      'resume stopped→running',
      'resume completed→running',
      'stop initialized→stopped',
      'stop scheduled→stopped',
      'stop running→stopped',
      'stop paused→stopped',
    ]);
  });

  it('lead to scheduled if the callout has never run and starts later, but not from scheduled or completed', () => {
    const now = moves(calloutMachine, calloutStatuses);
    expect(
      moves(calloutMachine, calloutStatuses, new Set([STARTS_LATER])).filter((move) => !now.includes(move)),
    ).toEqual(['start initialized→scheduled', 'resume paused→scheduled', 'resume stopped→scheduled']);
  });

  it('have the transitions that the system makes for a callout', () => {
    expect(moves(calloutSystemTransitions, calloutStatuses)).toEqual([
      'begin scheduled→running',
      'complete running→completed',
      'hold initialized→paused',
      'hold scheduled→paused',
      'hold running→paused',
    ]);
  });

  it('have exactly the transitions of the contract for a batch operation', () => {
    expect(moves(batchOperationMachine, batchOperationStatuses)).toEqual([
      'queue preview→queued',
      'requeue finished→queued',
      'requeue failed→queued',
    ]);
  });

  it.each(['toString', '__proto__', 'constructor', '', undefined, null, 5, ['start'], { start: 1 }])(
    'know no event %j',
    (event) => {
      expect(nextState(calloutMachine, 'initialized', event)).toBeUndefined();
    },
  );
});

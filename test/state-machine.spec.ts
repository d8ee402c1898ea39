import { describe, expect, it } from 'vitest';
import { batchOperationMachine, batchOperationStatuses } from '../src/batch-operations/batch-operation.machine.js';
import { calloutMachine, calloutStatuses } from '../src/callouts/callout.machine.js';
import { nextState } from '../src/state-machine/state-machine.js';

/** @returns every possible transition, in the notation of the contract (section 7) */
function moves<S extends string>(machine: Parameters<typeof nextState<S>>[0], statuses: readonly S[]): string[] {
  return Object.keys(machine).flatMap((event) =>
    statuses.flatMap((from) => {
      const to = nextState(machine, from, event);
      return to ? [`${event} ${from}→${to}`] : [];
    }),
  );
}

describe('the state machines', () => {
  it('have exactly the transitions of the contract for a callout', () => {
    expect(moves(calloutMachine, calloutStatuses)).toEqual([
      'start initialized→running',
      'pause initialized→paused',
      'pause running→paused',
      'resume paused→running',
      'resume stopped→running',
      'stop initialized→stopped',
      'stop running→stopped',
      'stop paused→stopped',
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

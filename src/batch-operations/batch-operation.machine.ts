import type { Transitions } from '../state-machine/state-machine.js';

export const batchOperationStatuses = ['preview', 'queued', 'running', 'finished', 'failed'] as const;
export type BatchOperationStatus = (typeof batchOperationStatuses)[number];

/** The events that a client may send. */
export const batchOperationMachine = {
  queue: { from: ['preview'], to: 'queued' },
  requeue: { from: ['finished', 'failed'], to: 'queued' },
} as const satisfies Transitions<BatchOperationStatus>;

/** The transitions that workers make. `start` also takes over a run whose lease has expired. */
export const batchOperationWorkerTransitions = {
  start: { from: ['queued', 'running'], to: 'running' },
  finish: { from: ['running'], to: 'finished' },
  fail: { from: ['running'], to: 'failed' },
} as const satisfies Transitions<BatchOperationStatus>;

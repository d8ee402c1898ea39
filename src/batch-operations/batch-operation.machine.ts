import type { Transitions } from '../state-machine/state-machine.js';

export const batchOperationStatuses = ['preview', 'queued', 'running', 'finished', 'failed'] as const;
export type BatchOperationStatus = (typeof batchOperationStatuses)[number];

/** What a client may ask of a batch operation. */
export const batchOperationMachine = {
  queue: { from: ['preview'], to: 'queued' },
  requeue: { from: ['finished', 'failed'], to: 'queued' },
} as const satisfies Transitions<BatchOperationStatus>;

/** What the worker does with it. Its `start` also takes over a run whose lease has expired. */
export const batchOperationWork = {
  start: { from: ['queued', 'running'], to: 'running' },
  finish: { from: ['running'], to: 'finished' },
  fail: { from: ['running'], to: 'failed' },
} as const satisfies Transitions<BatchOperationStatus>;

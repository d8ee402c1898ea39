import type { Transitions } from '../state-machine/state-machine.js';

export const calloutStatuses = ['initialized', 'running', 'paused', 'stopped'] as const;
export type CalloutStatus = (typeof calloutStatuses)[number];

export const calloutMachine = {
  start: { from: ['initialized'], to: 'running' },
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused', 'stopped'], to: 'running' },
  stop: { from: ['running', 'paused'], to: 'stopped' },
} as const satisfies Transitions<CalloutStatus>;

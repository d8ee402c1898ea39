import type { Transitions } from '../state-machine/state-machine.js';

export const calloutStatuses = ['initialized', 'running', 'paused', 'stopped'] as const;
export type CalloutStatus = (typeof calloutStatuses)[number];

/** The events that a client may send. */
export const calloutMachine = {
  start: { from: ['initialized'], to: 'running' },
  pause: { from: ['initialized', 'running'], to: 'paused' },
  resume: { from: ['paused', 'stopped'], to: 'running' },
  stop: { from: ['initialized', 'running', 'paused'], to: 'stopped' },
} as const satisfies Transitions<CalloutStatus>;

/** The transitions that the system makes. It holds a callout whose calls the provider refuses because of a setting. */
export const calloutSystemTransitions = {
  hold: { from: ['initialized', 'running'], to: 'paused' },
} as const satisfies Transitions<CalloutStatus>;

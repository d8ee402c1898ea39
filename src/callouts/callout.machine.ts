import type { Transitions } from '../state-machine/state-machine.js';

export const calloutStatuses = ['initialized', 'scheduled', 'running', 'paused', 'stopped', 'completed'] as const;
export type CalloutStatus = (typeof calloutStatuses)[number];

/** The condition that a callout has never run, and that its `starts_at` lies ahead. */
export const STARTS_LATER = 'starts_later';

/** The events that a client may send. A scheduled callout that is started, or one that has run, runs at once. */
export const calloutMachine = {
  start: [
    { from: ['initialized'], to: 'scheduled', when: STARTS_LATER },
    { from: ['initialized', 'scheduled'], to: 'running' },
  ],
  pause: { from: ['initialized', 'scheduled', 'running'], to: 'paused' },
  resume: [
    { from: ['paused', 'stopped'], to: 'scheduled', when: STARTS_LATER },
    { from: ['paused', 'stopped', 'completed'], to: 'running' },
  ],
  stop: { from: ['initialized', 'scheduled', 'running', 'paused'], to: 'stopped' },
} as const satisfies Transitions<CalloutStatus>;

/**
 * The transitions that the system makes. A scheduled callout begins at its `starts_at`. A running one is complete when
 * nobody is left to be called. A callout whose calls the provider refuses because of a setting is held.
 */
export const calloutSystemTransitions = {
  begin: { from: ['scheduled'], to: 'running' },
  complete: { from: ['running'], to: 'completed' },
  hold: { from: ['initialized', 'scheduled', 'running'], to: 'paused' },
} as const satisfies Transitions<CalloutStatus>;

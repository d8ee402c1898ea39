/** The priorities of callouts, the most urgent first. */
export const calloutPriorities = ['emergency', 'normal', 'low'] as const;
export type CalloutPriority = (typeof calloutPriorities)[number];

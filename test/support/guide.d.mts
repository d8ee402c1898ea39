/** Replays the guide at `base`. @throws AssertionError at the first answer that differs from what the guide shows */
export function replayGuide(base: string): Promise<void>;

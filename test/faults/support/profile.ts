const profiles = {
  /** What `.ci/run` has time for. */
  short: {
    kills: 5,
    people: 6_000,
    calls: 40,
    unplugged: 4_000,
    breaks: 2,
    slept: 11_000,
    locked: 3_000,
    crowded: 5_000,
    steps: [2, -1],
  },
  /** What the issue asks for. */
  full: {
    kills: 20,
    people: 30_000,
    calls: 1_000,
    unplugged: 60_000,
    breaks: 6,
    slept: 35_000,
    locked: 15_000,
    crowded: 60_000,
    steps: [1, -1, 5, 0, -3, 12, 0],
  },
};

/** Whether matchAll is run, not only what `.ci/run` has time for. */
export const isFullProfile = process.env.FAULTS !== 'short';

/**
 * How much is broken: processes killed; people in a callout; calls rung in a campaign; milliseconds without a provider; breaks of a server;
 * milliseconds that a process is stopped; milliseconds that another program locks the file; milliseconds that a crowd stays; hours to which the
 * database's clock is set, one after the other.
 */
export const profile = isFullProfile ? profiles.full : profiles.short;

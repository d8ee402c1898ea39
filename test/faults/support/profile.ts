/** How much a run of the fault tests breaks. Times are in milliseconds. */
interface Profile {
  /** Processes that are killed. */
  kills: number;
  /** Contacts in each callout. */
  people: number;
  /** Contacts in each callout that runs itself. */
  planned: number;
  /** Processes that are killed while callouts run themselves. */
  plannedKills: number;
  /** Contacts in each callout that is stopped. */
  recalled: number;
  /** Calls that the provider must have accepted in each campaign. */
  calls: number;
  /** How long the provider is unreachable. */
  providerOutage: number;
  /** Outages of a server in each test. */
  outages: number;
  /** How long a process is stopped by SIGSTOP. */
  sleep: number;
  /** How long another program locks the SQLite file. */
  fileLock: number;
  /** How long clients keep a process overloaded. */
  overload: number;
  /** The offsets of the database's clock, one after the other (hours). */
  clockOffsets: number[];
}

const profiles: Record<'short' | 'full', Profile> = {
  /** `.ci/run` has time for this one. */
  short: {
    kills: 5,
    people: 6_000,
    planned: 200,
    plannedKills: 3,
    recalled: 500,
    calls: 40,
    providerOutage: 4_000,
    outages: 2,
    sleep: 11_000,
    fileLock: 3_000,
    overload: 5_000,
    clockOffsets: [2, -1],
  },
  full: {
    kills: 20,
    people: 30_000,
    planned: 1_500,
    plannedKills: 20,
    recalled: 1_000,
    calls: 1_000,
    providerOutage: 60_000,
    outages: 6,
    sleep: 35_000,
    fileLock: 15_000,
    overload: 60_000,
    clockOffsets: [1, -1, 5, 0, -3, 12, 0],
  },
};

/** Whether all tests run, or only those that `.ci/run` has time for. */
export const isFullProfile = process.env.FAULTS !== 'short';

/** The profile of this run, which `FAULTS` selects. */
export const profile = isFullProfile ? profiles.full : profiles.short;

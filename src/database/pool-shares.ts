/** How the connections of one process to PostgreSQL are shared. */
export interface PoolShares {
  /** Connections on which clients of the API read; no others. */
  reading: number;
  /** All others: for writing, for webhooks and for background work. */
  writing: number;
  /** Of those for writing, as many as clients of the API use at once. The rest is kept for webhooks and work. */
  apiWriting: number;
}

/** The part of the connections that is for reading. */
const READING_PART = 0.3;

/**
 * Shares out the connections of a process, so that neither a crowd of readers nor one of writers holds up webhooks and
 * background work.
 * @param all at least 3
 */
export function poolShares(all: number, answersApi: boolean): PoolShares {
  const reading = answersApi ? Math.max(1, Math.round(all * READING_PART)) : 0;
  const writing = all - reading;
  return { reading, writing, apiWriting: Math.ceil(writing / 2) };
}

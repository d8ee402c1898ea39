/** How one process divides its connections to PostgreSQL. */
export interface PoolShares {
  /** Connections for the lists of API clients. */
  lists: number;
  /** Connections for everything else: writes, rows by key, webhooks and background work. */
  main: number;
  /** How many of the main connections API clients use at the same time. Webhooks and background work have the rest. */
  apiLimit: number;
}

/** The share of the connections that is for lists. */
const LIST_SHARE = 0.3;

/**
 * Divides the connections of a process, so that API clients never occupy all of them.
 *
 * @param connections at least 3
 * @param servesApi whether the process serves the API; otherwise it needs no connection for lists
 */
export function poolShares(connections: number, servesApi: boolean): PoolShares {
  const lists = servesApi ? Math.max(1, Math.round(connections * LIST_SHARE)) : 0;
  const main = connections - lists;
  return { lists, main, apiLimit: Math.ceil(main / 2) };
}

import { AsyncLocalStorage } from 'node:async_hooks';

/** The request that is being answered. */
interface RequestContext {
  /** Aborts when the client leaves before it has its answer. */
  signal: AbortSignal;
}

/** Set while a request is answered; background work has none. */
export const requestContext = new AsyncLocalStorage<RequestContext>();

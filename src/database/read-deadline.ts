import type { Writable } from 'node:stream';

/** The response that the rows are read for. It closes when it is complete, or when its client disconnects. */
export type PendingResponse = Pick<Writable, 'once' | 'off' | 'destroyed' | 'writableFinished'>;

/** A list took longer than `READ_TIMEOUT`. */
export class ReadTimeoutError extends Error {
  /** @param seconds the limit */
  constructor(readonly seconds: number) {
    super(`The statement took longer than ${seconds} s`);
  }
}

/** The client disconnected before its response was complete. */
export class ClientDisconnectedError extends Error {}

/**
 * Runs a statement of an API request. Ends it when it takes too long, or when the client disconnects.
 *
 * @param seconds how long it may take, including the wait for a connection
 * @param response the response that the client waits for
 * @param read runs the statement, and ends it when the signal aborts
 * @throws ReadTimeoutError when it took too long
 * @throws ClientDisconnectedError when the client disconnected
 */
export async function withinDeadline<T>(
  seconds: number,
  response: PendingResponse | undefined,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const close = () => {
    if (!response?.writableFinished) controller.abort(new ClientDisconnectedError('The client has disconnected'));
  };
  const timer = setTimeout(() => controller.abort(new ReadTimeoutError(seconds)), seconds * 1_000);
  response?.once('close', close);
  if (response?.destroyed) close();
  try {
    controller.signal.throwIfAborted();
    return await read(controller.signal);
  } catch (error) {
    // After an abort, the error of the database says only that the statement was canceled. The signal has the reason.
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    response?.off('close', close);
  }
}

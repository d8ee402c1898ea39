import type { Writable } from 'node:stream';

/** The answer that the rows are read for. It closes when it is complete, or when its client leaves. */
export type PendingAnswer = Pick<Writable, 'once' | 'off' | 'destroyed' | 'writableFinished'>;

/** A list takes longer than a client may have the database busy for. */
export class ReadTimedOut extends Error {
  constructor(readonly seconds: number) {
    super(`The statement took longer than ${seconds} s`);
  }
}

/** The client left before it had its answer. */
export class ClientGone extends Error {}

/**
 * Runs a statement of an API request, until it takes too long or the client leaves.
 * @param seconds that it may take, with what it waits for a connection
 * @param answer that the client waits for
 * @param read runs the statement, and ends it when the signal aborts
 * @throws ReadTimedOut
 * @throws ClientGone
 */
export async function withinDeadline<T>(
  seconds: number,
  answer: PendingAnswer | undefined,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const close = () => {
    if (!answer?.writableFinished) controller.abort(new ClientGone('The client has left'));
  };
  const timer = setTimeout(() => controller.abort(new ReadTimedOut(seconds)), seconds * 1_000);
  answer?.once('close', close);
  if (answer?.destroyed) close();
  try {
    controller.signal.throwIfAborted();
    return await read(controller.signal);
  } catch (error) {
    // What the database says of a statement that was ended is of no interest: the reason is.
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    answer?.off('close', close);
  }
}

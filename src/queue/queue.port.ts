/** Word that a row needs work. The row itself is the message; this only saves a worker from having to look for it. */
export interface Job {
  batchOperationId: number;
}

/** Does a job. It may be called twice for one job, also at once, and finds out from the row what there is to do. */
export type JobHandler = (job: Job) => Promise<void>;

/** How often a job is handled before it is left to the sweeper. */
export const JOB_TRIES = 5;

/** The pause before the second try, in milliseconds; it doubles with each further one. */
export const JOB_BACKOFF = 200;

/**
 * Wakes workers. While the queue can be reached, a job that was told is handled at least once, and again while its handler fails, up to
 * `JOB_TRIES` times. Nothing else is promised, and nothing else is needed: the sweeper tells again of every row that nobody took.
 */
export abstract class Queue {
  /** Tells, and returns at once: it neither waits nor fails, also when the queue cannot be reached. */
  abstract tell(job: Job): void;

  /** @throws Error with the reason, when the queue cannot be reached now */
  abstract ping(): Promise<void>;
}

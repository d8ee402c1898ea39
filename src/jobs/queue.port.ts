/** What can be asked of a worker: to go on with a batch operation, to dial a call, to ask the provider what became of one. */
export const tasks = ['batch_operation', 'dial', 'fetch'] as const;
export type Task = (typeof tasks)[number];

/** Jobs of each task that one process handles at the same time: none can hold up those of another task. */
export const CONCURRENCY: Readonly<Record<Task, number>> = { batch_operation: 4, dial: 100, fetch: 10 };

/** Word that a row needs work. The row itself is the message; this only saves a worker from having to look for it. */
export interface Job {
  task: Task;
  /** The row's. */
  id: number;
  /** The time for which the work was handed out, in milliseconds of the database's clock; absent when any time will do. */
  at?: number;
}

/** Does a job. It may be called twice for one job, also at once, and finds out from the row what there is to do. */
export type JobHandler = (job: Job) => Promise<void>;

/** How often a job is handled before it is left to the sweeper. */
export const JOB_TRIES = 5;

/** The pause before the second try, in milliseconds; it doubles with each further one. */
export const JOB_BACKOFF = 200;

/** Jobs of one task that wait to be taken, at the most; more are not told of, and it is left to the sweeper to tell of them later. */
export const MOST_WAITING = 10_000;

/**
 * Wakes workers. While the queue can be reached and fewer than `MOST_WAITING` wait, a job that was told is handled at least once, and again while its handler fails, up to
 * `JOB_TRIES` times. Nothing else is promised, and nothing else is needed: the sweeper tells again of every row that nobody took.
 */
export abstract class Queue {
  /**
   * Tells of jobs of one task, and returns at once: it neither waits nor fails, also when the queue cannot be reached. Those that are told
   * together go to one process together, and are handled each by itself.
   */
  abstract tell(...jobs: Job[]): void;

  /** @throws Error with the reason, when the queue cannot be reached now */
  abstract ping(): Promise<void>;
}

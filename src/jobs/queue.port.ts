/** How many times a job is tried before it is left to the sweeper. */
export const JOB_ATTEMPTS = 5;

/** The pause before the second try (ms). It doubles with each further try. */
export const JOB_BACKOFF = 200;

/** The most waiting jobs of one task. Further jobs are dropped, and the sweeper notifies the queue of them later. */
export const MAX_WAITING = 10_000;

/** A hint that a row needs work. The row itself is the message: a job only saves a worker from polling for it. */
export interface Job {
  /** The name of its `@JobTask`. */
  task: string;
  /** The id of the row. */
  id: number;
  /** The time for which the work was reserved (ms of the database clock); absent for any time. */
  at?: number;
}

/** The jobs of one kind. Jobs of different tasks never wait for each other. */
export interface Task {
  name: string;
  /** The most jobs of this task that one process handles at once. */
  concurrency: number;
}

/**
 * Wakes workers. A job is handled at least once if the queue is reachable and fewer than {@link MAX_WAITING} jobs wait.
 * It is tried again while its handler fails, up to {@link JOB_ATTEMPTS} times. The queue promises nothing else: the
 * sweeper finds every row that was missed.
 */
export abstract class Queue {
  /**
   * Adds jobs of one task. Returns immediately, and does not throw when the queue is unreachable. The jobs of one call
   * go to the same process, and each is handled separately.
   * @throws Error when no handler has the task
   */
  abstract notify(...jobs: Job[]): void;

  /** @throws Error with the reason when the queue is unreachable */
  abstract ping(): Promise<void>;
}

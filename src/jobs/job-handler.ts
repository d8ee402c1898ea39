import type { Type } from '@nestjs/common';
import { NamedProviders } from '../registry/named-providers.js';
import type { Task } from './queue.port.js';

/** Handles the jobs of one task. */
export interface JobHandler {
  /**
   * Does the work of a row. It may be called twice for one job, even concurrently: the row says what to do.
   * @param id the id of the row
   * @param at the time for which the work was reserved (ms of the database clock); 0 for any time
   */
  handle(id: number, at: number): Promise<void>;

  /** @returns the ids of up to `limit` rows that need work and have no worker, for the sweeper */
  findDue?(limit: number): Promise<number[]>;
}

/** The tasks that have a handler. */
export const jobTasks = new NamedProviders<JobHandler, Omit<Task, 'name'>>('@JobTask');

/** Makes a class the handler of a task. `ProcessorModule` lists it as a provider. */
export const JobTask = (name: string, options: Omit<Task, 'name'>) => (type: Type<JobHandler>) =>
  jobTasks.register(name, type, options);

import { AsyncResource } from 'node:async_hooks';
import { isConflict, isDatabaseUnavailable } from './database-errors.js';
import { type Take, takeOnce } from './take-once.js';

/**
 * A batch that takes this long (ms) to fail has waited for an unavailable database. The next batch would wait as long.
 */
const OUTAGE_THRESHOLD = 1_000;

interface PendingItem<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Collects concurrent items and processes them in batches: while one batch waits for its transaction or runs, the next
 * one fills. A single item never waits for others, and a hundred items cost little more than one.
 */
export class Batcher<Item, Result> {
  private readonly pending: PendingItem<Item, Result>[] = [];
  private running = 0;
  /** A batch has items of many callers, so it joins the transaction of none of them. */
  private readonly context = new AsyncResource('Batcher');

  /**
   * @param process takes the items of a batch when its transaction begins, processes them, and returns the results in
   *   their order. There may be no items if several batches run at the same time. If it fails because of one item or a
   *   conflict, each item is tried alone. If the database is unavailable, all items of the batch fail at once; after a
   *   long wait, all pending items fail, too
   * @param maxBatchSize the most items in one batch
   * @param concurrency how many batches may run at the same time
   */
  constructor(
    private readonly process: (take: Take<Item>) => Promise<Result[]>,
    private readonly maxBatchSize: number,
    private readonly concurrency = 1,
  ) {}

  /**
   * Processes an item, alone or in a batch.
   *
   * @returns the result of the item
   * @throws the error of the item, or of the database
   */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.pending.push({ item, resolve, reject });
      if (this.running < this.concurrency) {
        this.running++;
        // Items that are added in the same turn of the event loop share the first batch.
        queueMicrotask(() => void this.context.runInAsyncScope(() => this.flush()));
      }
    });
  }

  private async flush(): Promise<void> {
    while (this.pending.length > 0) await this.processNext();
    this.running--;
  }

  private async processNext(): Promise<void> {
    const take = takeOnce(this.pending, this.maxBatchSize);
    const started = performance.now();
    const failure = await this.tryBatch(take);
    if (!failure) return;
    // If the transaction could not begin, nothing was taken yet.
    const batch = take();
    if (isOutage(failure)) {
      if (performance.now() - started >= OUTAGE_THRESHOLD) rejectAll(this.pending.splice(0), failure);
      return rejectAll(batch, failure);
    }
    if (batch.length === 1) return rejectAll(batch, failure);
    // One item must not fail the others.
    for (const [index, one] of batch.entries()) {
      const own = await this.tryBatch(() => [one]);
      if (!own) continue;
      if (isOutage(own)) return rejectAll(batch.slice(index), own);
      one.reject(own.error);
    }
  }

  private async tryBatch(take: Take<PendingItem<Item, Result>>): Promise<{ error: unknown } | undefined> {
    try {
      const results = await this.process(() => take().map(({ item }) => item));
      take().forEach(({ resolve }, index) => resolve(results[index]!));
    } catch (error) {
      return { error };
    }
  }
}

/** Whether the database is unavailable, so that a retry cannot succeed now. */
function isOutage({ error }: { error: unknown }): boolean {
  return isDatabaseUnavailable(error) && !isConflict(error);
}

function rejectAll(items: { reject(error: unknown): void }[], { error }: { error: unknown }): void {
  for (const { reject } of items) reject(error);
}

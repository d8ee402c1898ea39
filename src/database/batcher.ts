import { AsyncResource } from 'node:async_hooks';
import { isConflict, isDatabaseUnavailable } from './outage.js';

/**
 * A round that takes so long (ms) to fail has waited for an unavailable database. The next round would wait as long.
 */
const OUTAGE_AFTER = 1_000;

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Does together what is asked for at about the same time: while some of it is under way the rest gathers, and then goes as one. Alone, nothing
 * waits; in a crowd, a hundred cost little more than one.
 */
export class Batcher<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private underWay = 0;
  /** A round has items of many callers, so it joins the transaction of none of them. */
  private readonly context = new AsyncResource('Together');

  /**
   * @param work does several at once, and returns their results in the same order. If one item or a conflict makes it
   *   fail, each item is tried by itself. If the database is unavailable, all items fail at once; after a long wait the
   *   items that wait for the next round fail, too
   * @param most that are done at once
   * @param lanes how many such rounds may be under way at the same time
   */
  constructor(
    private readonly work: (items: Item[]) => Promise<Result[]>,
    private readonly most: number,
    private readonly lanes = 1,
  ) {}

  /** Has `item` done, with others or alone. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.underWay < this.lanes) {
        this.underWay++;
        // What is asked for in the same turn goes along.
        queueMicrotask(() => void this.context.runInAsyncScope(() => this.round()));
      }
    });
  }

  private async round(): Promise<void> {
    for (let taken = this.waiting.splice(0, this.most); taken.length > 0; taken = this.waiting.splice(0, this.most)) {
      await this.doThese(taken);
    }
    this.underWay--;
  }

  private async doThese(taken: Waiting<Item, Result>[]): Promise<void> {
    const started = performance.now();
    const failure = await this.tryThese(taken);
    if (!failure) return;
    if (isLasting(failure)) {
      if (performance.now() - started >= OUTAGE_AFTER) rejectAll(this.waiting.splice(0), failure);
      return rejectAll(taken, failure);
    }
    if (taken.length === 1) return rejectAll(taken, failure);
    // The fault of one is not the others'.
    for (const [index, one] of taken.entries()) {
      const own = await this.tryThese([one]);
      if (!own) continue;
      if (isLasting(own)) return rejectAll(taken.slice(index), own);
      one.reject(own.error);
    }
  }

  private async tryThese(taken: Waiting<Item, Result>[]): Promise<{ error: unknown } | undefined> {
    try {
      const results = await this.work(taken.map(({ item }) => item));
      taken.forEach(({ resolve }, index) => resolve(results[index]!));
    } catch (error) {
      return { error };
    }
  }
}

/** Whether the database is unavailable, so that a retry cannot succeed now. */
function isLasting({ error }: { error: unknown }): boolean {
  return isDatabaseUnavailable(error) && !isConflict(error);
}

function rejectAll(taken: { reject(error: unknown): void }[], { error }: { error: unknown }): void {
  for (const { reject } of taken) reject(error);
}

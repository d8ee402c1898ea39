interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Does together what is asked for at about the same time: while some of it is under way the rest gathers, and then goes as one. Alone, nothing
 * waits; in a crowd, a hundred cost little more than one.
 */
export class Together<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private underWay = 0;

  /**
   * @param work does several at once, and answers their results in the same order; if it fails, each is tried by itself
   * @param most that are done at once
   * @param lanes how many such rounds may be under way at the same time
   */
  constructor(
    private readonly work: (items: Item[]) => Promise<Result[]>,
    private readonly most: number,
    private readonly lanes = 1,
  ) {}

  /** Has `item` done, with others or alone. */
  do(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.underWay < this.lanes) {
        this.underWay++;
        // What is asked for in the same turn goes along.
        queueMicrotask(() => void this.round());
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
    try {
      const results = await this.work(taken.map(({ item }) => item));
      taken.forEach(({ resolve }, index) => resolve(results[index]!));
    } catch (error) {
      if (taken.length === 1) taken[0]!.reject(error);
      // The fault of one is not the others'.
      else for (const one of taken) await this.doThese([one]);
    }
  }
}

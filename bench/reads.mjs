import { setTimeout as pause } from 'node:timers/promises';
import { startChild } from './child-process.mjs';
import { percentile } from './statistics.mjs';

const PER_SECOND = 20;
const IDLE_SECONDS = 4;

/** Steady reads of single contacts, while the program is idle and while it works: their latencies (ms). */
export class Reads {
  idle = [];
  busy = [];

  constructor(contacts) {
    this.contacts = contacts;
  }

  /** Reads for some seconds while the program is idle, and then while `work` runs. @returns the result of `work` */
  async during(url, work) {
    this.idle.push(...(await this.readWhile(url, () => pause(IDLE_SECONDS * 1_000))).latencies);
    const { result, latencies } = await this.readWhile(url, work);
    this.busy.push(...latencies);
    return result;
  }

  /** Reports the p99 of both. */
  report(report, row) {
    report.add({
      ...row,
      unit: 'ms',
      ours: percentile(this.busy, 99),
      baseline: percentile(this.idle, 99),
      goal: ['more than the baseline by at most', 100],
      reads: { idle: this.idle.length, busy: this.busy.length },
    });
  }

  async readWhile(url, work) {
    const child = await startChild('steady-reads', { contacts: this.contacts, url, perSecond: PER_SECOND });
    const result = await work();
    const latencies = await child.ask('enough');
    await child.stop();
    return { result, latencies };
  }
}

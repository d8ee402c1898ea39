import { setTimeout as pause } from 'node:timers/promises';
import type { Api } from '../../support/api.js';
import { SeededRandom } from './seeded-random.js';
import { attempt } from './retry.js';
import type { Testbed } from './testbed.js';

/** Requests under way at the same time. */
const CONCURRENCY = 3;

/** Between two records of a lane, in milliseconds: it shall be told of what breaks, and not be the load itself. */
const PAUSE_MS = 50;

/** What a client was told is done, by an answer of 2xx. */
export interface Accepted {
  contacts: { id: number; msisdn: string; renamed: boolean }[];
  callouts: { id: number; started: boolean }[];
  /** The contacts who asked for no more calls. */
  optOuts: number[];
}

/** A client that goes on making and changing records while things break, and writes down what was accepted. */
export class Ledger {
  readonly accepted: Accepted = { contacts: [], callouts: [], optOuts: [] };
  private readonly chance = new SeededRandom('opt-outs');
  private people?: { first: number; last: number };
  private attempts = 0;
  private stopping = false;
  private writers: Promise<void>[] = [];

  constructor(private readonly testbed: Testbed) {}

  start(): void {
    this.stopping = false;
    this.writers = Array.from({ length: CONCURRENCY }, () => this.writeRecords());
  }

  /** Ends after the requests under way. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.writers);
  }

  private async writeRecords(): Promise<void> {
    while (!this.stopping) {
      await this.createContact();
      await this.createCallout();
      await this.optOut();
      await pause(PAUSE_MS);
    }
  }

  /** Each with a number of its own: one whose fate is not known is not asked for again. */
  private async createContact(): Promise<void> {
    const msisdn = `+85512${2_000_000 + this.attempts++}`;
    const made = await attempt(() => this.api.post('/api/contacts', { msisdn, metadata: { ledger: 'made' } }));
    if (!made) return;
    const { id } = made.body;
    const renamed = await attempt(() => this.api.patch(`/api/contacts/${id}`, { metadata: { ledger: 'renamed' } }));
    this.accepted.contacts.push({ id, msisdn, renamed: renamed !== undefined });
  }

  /** One of the people whom callouts are for, perhaps just as they are dialed. */
  private async optOut(): Promise<void> {
    this.people ??= await this.testbed.contactIdRange().catch(() => undefined);
    if (!this.people) return;
    const id = this.chance.integer(this.people.first, this.people.last);
    const changed = await attempt(() => this.api.patch(`/api/contacts/${id}`, { metadata: { do_not_call: 'yes' } }));
    if (changed) this.accepted.optOuts.push(id);
  }

  private get api(): Api {
    return this.testbed.api;
  }

  private async createCallout(): Promise<void> {
    const made = await attempt(() => this.api.post('/api/callouts'));
    if (!made) return;
    const { id } = made.body;
    const started = await attempt(() => this.api.post(`/api/callouts/${id}/callout_events`, { event: 'start' }));
    this.accepted.callouts.push({ id, started: started !== undefined });
  }
}

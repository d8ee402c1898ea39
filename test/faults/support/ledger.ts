import { setTimeout as pause } from 'node:timers/promises';
import type { Api } from '../../support/api.js';
import { SeededRandom } from './seeded-random.js';
import { attempt } from './retry.js';
import type { Testbed } from './testbed.js';

/** The number of concurrent writers. */
const CONCURRENCY = 3;

/** The pause of a writer between two rounds (ms). The ledger observes faults and must not overload the program. */
const PAUSE_MS = 50;

/** The writes that were confirmed by a 2xx response. */
export interface Accepted {
  contacts: { id: number; msisdn: string; renamed: boolean }[];
  callouts: { id: number; started: boolean }[];
  /** The ids of the contacts that opted out. */
  optOuts: number[];
}

/** A client that creates and changes records during faults, and records which writes the API has accepted. */
export class Ledger {
  readonly accepted: Accepted = { contacts: [], callouts: [], optOuts: [] };
  private readonly random = new SeededRandom('opt-outs');
  private people?: { first: number; last: number };
  private attempts = 0;
  private stopping = false;
  private writers: Promise<void>[] = [];

  /** @param mostOptOuts how many people opt out at most */
  constructor(
    private readonly testbed: Testbed,
    private readonly mostOptOuts = Infinity,
  ) {}

  /** Starts the writers. */
  start(): void {
    this.stopping = false;
    this.writers = Array.from({ length: CONCURRENCY }, () => this.writeRecords());
  }

  /** Stops the writers once their current rounds have ended. */
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

  /** Creates a contact and changes it. A number is never reused, because a failed request may have been executed. */
  private async createContact(): Promise<void> {
    const msisdn = `+85512${2_000_000 + this.attempts++}`;
    const created = await attempt(() => this.api.post('/api/contacts', { msisdn, metadata: { ledger: 'made' } }));
    if (!created) return;
    const { id } = created.body;
    const renamed = await attempt(() => this.api.patch(`/api/contacts/${id}`, { metadata: { ledger: 'renamed' } }));
    this.accepted.contacts.push({ id, msisdn, renamed: renamed !== undefined });
  }

  /** Opts out a random contact of the campaigns, possibly while it is dialed. */
  private async optOut(): Promise<void> {
    this.people ??= await this.testbed.contactIdRange().catch(() => undefined);
    if (!this.people || this.accepted.optOuts.length >= this.mostOptOuts) return;
    const id = this.random.integer(this.people.first, this.people.last);
    const changed = await attempt(() => this.api.patch(`/api/contacts/${id}`, { metadata: { do_not_call: 'yes' } }));
    if (changed) this.accepted.optOuts.push(id);
  }

  private get api(): Api {
    return this.testbed.api;
  }

  /** Creates a callout and starts it. */
  private async createCallout(): Promise<void> {
    const created = await attempt(() => this.api.post('/api/callouts'));
    if (!created) return;
    const { id } = created.body;
    const started = await attempt(() => this.api.post(`/api/callouts/${id}/callout_events`, { event: 'start' }));
    this.accepted.callouts.push({ id, started: started !== undefined });
  }
}

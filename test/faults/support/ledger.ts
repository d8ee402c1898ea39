import { setTimeout as pause } from 'node:timers/promises';
import type { Api } from '../../support/api.js';
import { Chance } from './chance.js';
import { attempt } from './insist.js';
import type { World } from './world.js';

/** Requests under way at the same time. */
const LANES = 3;

/** Between two records of a lane, in milliseconds: it shall be told of what breaks, and not be the load itself. */
const PAUSE = 50;

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
  private readonly chance = new Chance('opt-outs');
  private people?: { first: number; last: number };
  private sent = 0;
  private closing = false;
  private lanes: Promise<void>[] = [];

  constructor(private readonly world: World) {}

  open(): void {
    this.closing = false;
    this.lanes = Array.from({ length: LANES }, () => this.write());
  }

  /** Ends after the requests under way. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.all(this.lanes);
  }

  private async write(): Promise<void> {
    while (!this.closing) {
      await this.contact();
      await this.callout();
      await this.optOut();
      await pause(PAUSE);
    }
  }

  /** Each with a number of its own: one whose fate is not known is not asked for again. */
  private async contact(): Promise<void> {
    const msisdn = `+85512${2_000_000 + this.sent++}`;
    const made = await attempt(() => this.api.post('/api/contacts', { msisdn, metadata: { ledger: 'made' } }));
    if (!made) return;
    const { id } = made.body;
    const renamed = await attempt(() => this.api.patch(`/api/contacts/${id}`, { metadata: { ledger: 'renamed' } }));
    this.accepted.contacts.push({ id, msisdn, renamed: renamed !== undefined });
  }

  /** One of the people whom callouts are for, perhaps just as they are dialed. */
  private async optOut(): Promise<void> {
    this.people ??= await this.world.people().catch(() => undefined);
    if (!this.people) return;
    const id = this.chance.between(this.people.first, this.people.last);
    const changed = await attempt(() => this.api.patch(`/api/contacts/${id}`, { metadata: { do_not_call: 'yes' } }));
    if (changed) this.accepted.optOuts.push(id);
  }

  private get api(): Api {
    return this.world.api;
  }

  private async callout(): Promise<void> {
    const made = await attempt(() => this.api.post('/api/callouts'));
    if (!made) return;
    const { id } = made.body;
    const started = await attempt(() => this.api.post(`/api/callouts/${id}/callout_events`, { event: 'start' }));
    this.accepted.callouts.push({ id, started: started !== undefined });
  }
}

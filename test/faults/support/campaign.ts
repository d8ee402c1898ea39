import type { Body } from '../../support/api.js';
import { attempt, insist, patiently } from './insist.js';
import { tell } from './story.js';
import type { World } from './world.js';

/** The contacts that `Installation.makeContacts` made. */
const EVERYBODY = { contact_filter_params: { metadata: { many: 'yes' } } };

/** A callout to everybody, driven by somebody who asks again whenever there is no answer. */
export class Campaign {
  private constructor(
    private readonly world: World,
    readonly callout: number,
  ) {}

  static async plan(world: World): Promise<Campaign> {
    const { body } = await insist(() => world.api.post('/api/callouts'));
    const campaign = new Campaign(world, body.id);
    world.campaigns.push(campaign);
    return campaign;
  }

  /** All of it, until so many calls were taken by the provider. */
  async run(calls: number): Promise<void> {
    await this.populate();
    await this.create();
    await this.queue();
    await this.rings(calls);
  }

  /** Puts everybody into the callout. */
  populate(): Promise<void> {
    return this.complete('CalloutPopulation', EVERYBODY);
  }

  /** Makes a call for whoever has none yet. */
  create(): Promise<void> {
    return this.complete('PhoneCallCreate', {
      remote_request_params: { from: '2442' },
      callout_participation_filter_params: { has_phone_calls: 'false' },
      skip_validate_preview_presence: 'true',
    });
  }

  /** Queues the calls that were made: from now on they are dialled. */
  queue(): Promise<void> {
    return this.complete('PhoneCallQueue', { skip_validate_preview_presence: 'true' });
  }

  /** Waits until so many more calls of the callout were taken by the provider. */
  async rings(more: number): Promise<void> {
    const rung = (): Promise<number> =>
      this.world
        .count(`SELECT count(remote_call_id) AS count FROM phone_calls WHERE callout_id = ${this.callout}`)
        .catch(() => 0);
    const before = await patiently(() => rung().then((count) => ({ count })));
    await patiently(async () => (await rung()) >= before.count + more);
  }

  /** Takes back the calls that were not dialled yet. */
  async stop(): Promise<void> {
    const path = `/api/callouts/${this.callout}`;
    await patiently(async () => {
      // Only one that was started can be stopped.
      for (const event of ['start', 'stop'])
        await attempt(() => this.world.api.post(`${path}/callout_events`, { event }));
      const shown = await attempt(() => this.world.api.get(path));
      return shown?.body.status === 'stopped';
    });
  }

  /** Makes a batch operation, and has it run until it has finished: one that failed is told to go on, as a person would. */
  private async complete(type: string, parameters: object): Promise<void> {
    const { api } = this.world;
    const path = `/api/callouts/${this.callout}/batch_operations`;
    const { body } = await insist(() => api.post(path, { type: `BatchOperation::${type}`, parameters }));
    const events: Body = { preview: 'queue', failed: 'requeue' };
    await patiently(async () => {
      const shown = await attempt(() => api.get(`/api/batch_operations/${body.id}`));
      const event = events[shown?.body.status];
      if (event) await attempt(() => api.post(`/api/batch_operations/${body.id}/batch_operation_events`, { event }));
      return shown?.body.status === 'finished';
    });
    tell(`${type} of callout ${this.callout} has finished`);
  }
}

import type { Body } from '../../support/api.js';
import { attempt, retryUntilAccepted, waitUntil } from './retry.js';
import { logStep } from './log-step.js';
import type { Testbed } from './testbed.js';

/** The contacts that `Installation.makeContacts` made. */
const ALL_CONTACTS = { contact_filter_params: { metadata: { many: 'yes' } } };

/** A callout to everybody, driven by somebody who asks again whenever there is no answer. */
export class Campaign {
  private constructor(
    private readonly testbed: Testbed,
    readonly callout: number,
  ) {}

  static async create(testbed: Testbed): Promise<Campaign> {
    const { body } = await retryUntilAccepted(() => testbed.api.post('/api/callouts'));
    const campaign = new Campaign(testbed, body.id);
    testbed.campaigns.push(campaign);
    return campaign;
  }

  /** All of it, until so many calls were taken by the provider. */
  async run(calls: number): Promise<void> {
    await this.populate();
    await this.createCalls();
    await this.queueCalls();
    await this.waitForCalls(calls);
  }

  /** Puts everybody into the callout. */
  populate(): Promise<void> {
    return this.runToCompletion('CalloutPopulation', ALL_CONTACTS);
  }

  /** Makes a call for whoever has none yet. */
  createCalls(): Promise<void> {
    return this.runToCompletion('PhoneCallCreate', {
      remote_request_params: { from: '2442' },
      callout_participation_filter_params: { has_phone_calls: 'false' },
      skip_validate_preview_presence: 'true',
    });
  }

  /** Queues the calls that were made: from now on they are dialled. */
  queueCalls(): Promise<void> {
    return this.runToCompletion('PhoneCallQueue', { skip_validate_preview_presence: 'true' });
  }

  /** Waits until so many more calls of the callout were taken by the provider. */
  async waitForCalls(more: number): Promise<void> {
    const rung = (): Promise<number> =>
      this.testbed
        .count(`SELECT count(remote_call_id) AS count FROM phone_calls WHERE callout_id = ${this.callout}`)
        .catch(() => 0);
    const before = await waitUntil(() => rung().then((count) => ({ count })));
    await waitUntil(async () => (await rung()) >= before.count + more);
  }

  /** Takes back the calls that were not dialled yet. */
  async stop(): Promise<void> {
    const path = `/api/callouts/${this.callout}`;
    await waitUntil(async () => {
      // Only one that was started can be stopped.
      for (const event of ['start', 'stop'])
        await attempt(() => this.testbed.api.post(`${path}/callout_events`, { event }));
      const shown = await attempt(() => this.testbed.api.get(path));
      return shown?.body.status === 'stopped';
    });
  }

  /** Makes a batch operation, and has it run until it has finished: one that failed is told to go on, as a person would. */
  private async runToCompletion(type: string, parameters: object): Promise<void> {
    const { api } = this.testbed;
    const path = `/api/callouts/${this.callout}/batch_operations`;
    const { body } = await retryUntilAccepted(() => api.post(path, { type: `BatchOperation::${type}`, parameters }));
    const events: Body = { preview: 'queue', failed: 'requeue' };
    await waitUntil(async () => {
      const shown = await attempt(() => api.get(`/api/batch_operations/${body.id}`));
      const event = events[shown?.body.status];
      if (event) await attempt(() => api.post(`/api/batch_operations/${body.id}/batch_operation_events`, { event }));
      return shown?.body.status === 'finished';
    });
    logStep(`${type} of callout ${this.callout} has finished`);
  }
}

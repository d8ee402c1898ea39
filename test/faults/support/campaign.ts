import type { Body } from '../../support/api.js';
import { attempt, retryUntilAccepted, waitUntil } from './retry.js';
import { logStep } from './log-step.js';
import type { Testbed } from './testbed.js';

/** Matches the contacts that `Installation.insertContacts` inserts. */
const ALL_CONTACTS = { contact_filter_params: { metadata: { many: 'yes' } } };

/** A callout to all contacts, driven by a client that retries every failed request. */
export class Campaign {
  private constructor(
    private readonly testbed: Testbed,
    readonly callout: number,
  ) {}

  /** Creates the callout, without any batch operation. */
  static async create(testbed: Testbed): Promise<Campaign> {
    const { body } = await retryUntilAccepted(() => testbed.api.post('/api/callouts'));
    const campaign = new Campaign(testbed, body.id);
    testbed.campaigns.push(campaign);
    return campaign;
  }

  /** Runs all batch operations, and waits until the provider has accepted that many calls. */
  async run(calls: number): Promise<void> {
    await this.populate();
    await this.createCalls();
    await this.queueCalls();
    await this.waitForCalls(calls);
  }

  /** Adds all contacts to the callout. */
  populate(): Promise<void> {
    return this.runToCompletion('CalloutPopulation', ALL_CONTACTS);
  }

  /** Creates a call for each participation that has none. */
  createCalls(): Promise<void> {
    return this.runToCompletion('PhoneCallCreate', {
      remote_request_params: { from: '2442' },
      callout_participation_filter_params: { has_phone_calls: 'false' },
      skip_validate_preview_presence: 'true',
    });
  }

  /** Queues the created calls, which are dialed from then on. */
  queueCalls(): Promise<void> {
    return this.runToCompletion('PhoneCallQueue', { skip_validate_preview_presence: 'true' });
  }

  /** Waits until the provider has accepted `more` further calls of the callout. */
  async waitForCalls(more: number): Promise<void> {
    const countAccepted = (): Promise<number> =>
      this.testbed
        .count(`SELECT count(remote_call_id) AS count FROM phone_calls WHERE callout_id = ${this.callout}`)
        .catch(() => 0);
    const before = await countAccepted();
    await waitUntil(async () => (await countAccepted()) >= before + more);
  }

  /** Stops the callout, which cancels the calls that were not yet dialed. */
  async stop(): Promise<void> {
    const path = `/api/callouts/${this.callout}`;
    await waitUntil(async () => {
      // Only a callout that was started can be stopped.
      for (const event of ['start', 'stop'])
        await attempt(() => this.testbed.api.post(`${path}/callout_events`, { event }));
      const shown = await attempt(() => this.testbed.api.get(path));
      return shown?.body.status === 'stopped';
    });
  }

  /** Creates a batch operation and runs it until it is `finished`. Requeues it when it has failed, as a user would. */
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

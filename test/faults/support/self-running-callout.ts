import { attempt, retryUntilAccepted, waitUntil } from './retry.js';
import { logStep } from './log-step.js';
import type { Testbed } from './testbed.js';

/** A plan that calls again after seconds, until people confirm. Its rate spreads the calls over the faults. */
const PLAN = {
  remote_request_params: { from: '2442' },
  until: 'confirmed',
  max_attempts: 4,
  retries: {
    busy: { max: 3, after: [1, 3] },
    not_answered: { max: 3, after: [2] },
    machine: { max: 2, after: [3] },
    failed: { max: 2, after: [1] },
    answered: { max: 3, after: [2, 4] },
  },
  calls_per_second: 40,
};

/** A callout with an audience and a dial plan: a client creates and starts it, and does nothing more. */
export class SelfRunningCallout {
  private constructor(
    private readonly testbed: Testbed,
    readonly id: number,
  ) {}

  /** Creates a callout to all contacts of the testbed, and starts it. Every failed request is retried. */
  static async start(testbed: Testbed): Promise<SelfRunningCallout> {
    const { body } = await retryUntilAccepted(() =>
      testbed.api.post('/api/callouts', {
        call_flow_logic: 'CallFlowLogic::PlayMessage',
        metadata: { message: 'The water is rising.' },
        audience: { contact_filter_params: { metadata: { many: 'yes' } } },
        dial_plan: PLAN,
      }),
    );
    const callout = new SelfRunningCallout(testbed, body.id);
    testbed.selfRunning.push(callout);
    await waitUntil(async () => {
      await attempt(() => testbed.api.post(`/api/callouts/${callout.id}/callout_events`, { event: 'start' }));
      return (await callout.readStatus()) === 'running';
    });
    return callout;
  }

  /** Waits until an attempt was made. */
  async waitForAttempt(): Promise<void> {
    const count = `SELECT count(*) AS count FROM phone_calls WHERE callout_id = ${this.id}`;
    await waitUntil(async () => (await this.testbed.count(count).catch(() => 0)) > 0);
  }

  /** @returns whether the callout has reached everybody it can. False if the API does not say */
  async isCompleted(): Promise<boolean> {
    return (await this.readStatus()) === 'completed';
  }

  /** Waits until the callout completes itself. */
  async waitUntilCompleted(): Promise<void> {
    await waitUntil(() => this.isCompleted());
    logStep(`callout ${this.id} is completed`);
  }

  private async readStatus(): Promise<string | undefined> {
    const shown = await attempt(() => this.testbed.api.get(`/api/callouts/${this.id}`));
    return shown?.body.status;
  }
}

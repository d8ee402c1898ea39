import { Injectable, Logger } from '@nestjs/common';
import { type AwaitedCall, Checks } from '../phone-calls/checks.js';
import { Provider, type RemoteCall } from '../telephony/provider.js';

/** Milliseconds by which the provider's clock and ours may differ. */
const CLOCK_MARGIN = 300_000;

/** Asks the provider what became of a call that has been silent, or whether it ever took it. */
@Injectable()
export class FetchHandler {
  private readonly logger = new Logger('Fetch');

  constructor(
    private readonly checks: Checks,
    private readonly provider: Provider,
  ) {}

  async handle(id: number): Promise<void> {
    const call = await this.checks.find(id);
    if (!call) return;
    let remote: RemoteCall | undefined;
    try {
      remote = await this.ask(call);
    } catch (error) {
      this.logger.debug(`The provider cannot tell of phone call ${id} now: ${(error as Error).message}`);
      return this.checks.learnNothing(call);
    }
    await (remote ? this.checks.learn(id, remote) : this.checks.learnAbsence(call));
  }

  private async ask(call: AwaitedCall): Promise<RemoteCall | undefined> {
    if (call.remote_call_id !== null) return this.provider.find(call.remote_call_id);
    const since = new Date(new Date(call.dialled_at ?? call.created_at).getTime() - CLOCK_MARGIN);
    const [first] = await this.checks.unclaimed(await this.provider.callsTo(call.msisdn, since));
    return first;
  }
}

import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config.js';
import { type AwaitedCall, Checks } from '../phone-calls/checks.js';
import { matchRemoteCall } from '../phone-calls/remote-call-matching.js';
import { Provider, type RemoteCall } from '../telephony/provider.js';

/** Asks the provider what became of a call that has been silent, or whether it ever took it. */
@Injectable()
export class FetchHandler {
  private readonly logger = new Logger('Fetch');

  constructor(
    private readonly checks: Checks,
    private readonly provider: Provider,
    private readonly config: Config,
  ) {}

  async handle(id: number): Promise<void> {
    const call = await this.checks.find(id);
    if (!call) return;
    let remote: RemoteCall | undefined;
    try {
      remote = await this.lookUp(call);
    } catch (error) {
      this.logger.debug(`The provider cannot say what became of phone call ${id}: ${(error as Error).message}`);
      return this.checks.learnNothing(call);
    }
    await (remote ? this.checks.learn(id, remote) : this.checks.learnAbsence(call));
  }

  private async lookUp(awaited: AwaitedCall): Promise<RemoteCall | undefined> {
    const { id, msisdn, remote_call_id: sid } = awaited;
    if (sid !== null) return this.provider.find(sid);
    const remoteCalls = await this.checks.unclaimed(await this.provider.callsTo(msisdn));
    const unmatched = await this.checks.unmatched(msisdn);
    const call = unmatched.find((one) => one.id === id);
    if (!call || remoteCalls.length === 0) return undefined;
    return matchRemoteCall(call, unmatched, remoteCalls, {
      within: this.config.providerTimeout * 1_000,
      offset: await this.checks.clockOffset(),
      guess: await this.checks.hasWaitedLongEnough(awaited),
    });
  }
}

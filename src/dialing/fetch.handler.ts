import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config.js';
import { type JobHandler, JobTask } from '../jobs/job-handler.js';
import { type AwaitedCall, CallReconciler } from './call-reconciler.js';
import { matchRemoteCall } from './remote-call-matching.js';
import { type RemoteCall, TelephonyProvider } from '../telephony/telephony-provider.js';

/** Looks up the state of a call at the provider, or whether the provider has the call at all. */
@Injectable()
@JobTask('fetch', { concurrency: 10 })
export class FetchHandler implements JobHandler {
  private readonly logger = new Logger('Fetch');

  constructor(
    private readonly reconciler: CallReconciler,
    private readonly provider: TelephonyProvider,
    private readonly config: Config,
  ) {}

  /** Looks up a call and records the result. Schedules the next lookup if this one fails. */
  async handle(id: number): Promise<void> {
    const call = await this.reconciler.findAwaited(id);
    if (!call) return;
    let remote: RemoteCall | undefined;
    try {
      remote = await this.lookUp(call);
    } catch (error) {
      this.logger.debug(`The lookup of phone call ${id} failed: ${(error as Error).message}`);
      return this.reconciler.reschedule(call);
    }
    await (remote ? this.reconciler.applyRemoteState(id, remote) : this.reconciler.applyNotFound(call));
  }

  private async lookUp(awaited: AwaitedCall): Promise<RemoteCall | undefined> {
    const { id, msisdn, remote_call_id: sid } = awaited;
    if (sid !== null) return this.provider.fetchCall(sid);
    const remoteCalls = await this.reconciler.excludeKnown(await this.provider.listCallsTo(msisdn));
    const unmatched = await this.reconciler.findUnmatched(msisdn);
    const call = unmatched.find((one) => one.id === id);
    if (!call || remoteCalls.length === 0) return undefined;
    return matchRemoteCall(call, unmatched, remoteCalls, {
      withinMs: this.config.providerTimeout * 1_000,
      clockOffsetMs: await this.reconciler.clockOffset(),
      guess: await this.reconciler.hasWaitedLongEnough(awaited),
    });
  }
}

import { Injectable, Logger } from '@nestjs/common';
import { type JobHandler, JobTask } from '../jobs/job-handler.js';
import { TelephonyProvider } from '../telephony/telephony-provider.js';
import { CallRecaller } from './call-recaller.js';
import { FailurePauses } from './failure-pauses.js';
import { faultPoint } from './fault-points.js';
import { RateLimiter } from './rate-limiter.js';

/** Asks the provider to end a call after a stop, and records its response. */
@Injectable()
@JobTask('recall', { concurrency: 50 })
export class RecallHandler implements JobHandler {
  private readonly pauses: FailurePauses;

  constructor(
    private readonly recaller: CallRecaller,
    private readonly provider: TelephonyProvider,
    rateLimiter: RateLimiter,
  ) {
    this.pauses = new FailurePauses(rateLimiter, 'recall', new Logger('Recall'), 'Calls cannot be recalled: ');
  }

  /** @param id the id of the recalled call */
  async handle(id: number): Promise<void> {
    const call = await this.recaller.find(id);
    if (!call) return;
    const ending = await this.provider.endCall(call.remote_call_id, call.end_status);
    faultPoint('ended');
    await this.recaller.record(call, ending);
    await this.pauses.after(ending);
  }
}

import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  HealthCheckService,
  type HealthCheckResult,
  HealthIndicatorService,
  TypeOrmHealthIndicator,
} from '@nestjs/terminus';
import { setTimeout as pause } from 'node:timers/promises';
import { type HeldCallout, findHeldCallouts } from '../callouts/held-callouts.js';
import { BackgroundReader } from '../database/reader.js';
import { hasRecalledCalls } from '../dialing/call-recaller.js';
import { calloutPermits } from '../dialing/eligibility.js';
import { hasQueuedCalls } from '../dialing/queued-calls.js';
import { RateLimiter } from '../dialing/rate-limiter.js';
import { Public } from '../server/public.js';
import { Queue } from '../jobs/queue.port.js';

/** How long each check may take (ms). */
const CHECK_TIMEOUT = 3_000;

/** Whether calls are placed, and whether those of stopped callouts can be recalled. */
interface DialingStatus {
  dialling: string;
  reason?: string;
  recalling?: string;
  recalling_reason?: string;
  held_callouts?: HeldCallout[];
}

@ApiTags('health')
@Controller('health')
export class HealthController {
  private runningCheck?: Promise<HealthCheckResult>;

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly queue: Queue,
    private readonly rateLimiter: RateLimiter,
    private readonly reader: BackgroundReader,
  ) {}

  /** Reports that the process is responsive. */
  @Get('live')
  @Public()
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * Checks the database and the queue. Responds with 503 and the reason if one is unavailable. `telephony` shows
   * whether calls are placed, why not, whether a stop cannot reach the provider, and which callouts are held because of
   * a setting. Paused dialing is not a 503, because webhooks must still be routed to this process.
   */
  @Get('ready')
  @Public()
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    // Anyone may send this request, so concurrent requests share one check.
    this.runningCheck ??= this.check().finally(() => (this.runningCheck = undefined));
    return this.runningCheck;
  }

  private check(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.database.pingCheck('database', { timeout: CHECK_TIMEOUT }),
      async () => {
        const queue = this.indicators.check('queue');
        return this.queue.ping().then(
          () => queue.up(),
          (error: Error) => queue.down(error.message),
        );
      },
      async () => {
        const unknown = pause(CHECK_TIMEOUT, { dialling: 'unknown' }, { ref: false });
        return this.indicators.check('telephony').up(await Promise.race([this.dialingStatus(), unknown]));
      },
    ]);
  }

  private async dialingStatus(): Promise<DialingStatus> {
    try {
      const [reason, recallReason, held] = await Promise.all([
        this.rateLimiter.pauseReason('dial', hasQueuedCalls(calloutPermits)),
        this.rateLimiter.pauseReason('recall', hasRecalledCalls),
        findHeldCallouts(this.reader),
      ]);
      return {
        ...(reason ? { dialling: 'paused', reason } : { dialling: 'on' }),
        ...(recallReason && { recalling: 'paused', recalling_reason: recallReason }),
        ...(held.length > 0 && { held_callouts: held }),
      };
    } catch {
      return { dialling: 'unknown' };
    }
  }
}

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
import { type HeldCallout, heldCallouts } from '../callouts/held-callouts.js';
import { BackgroundReader } from '../database/reader.js';
import { RateLimiter } from '../dialing/rate-limiter.js';
import { Queue } from '../queue/queue.port.js';

const PATIENCE = 3_000;

@ApiTags('health')
@Controller('health')
export class HealthController {
  private underWay?: Promise<HealthCheckResult>;

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly queue: Queue,
    private readonly rateLimiter: RateLimiter,
    private readonly reader: BackgroundReader,
  ) {}

  /** Tells that the process answers. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * Shows whether what the process needs is there: the database, the queue. 503 with the reason while one is away. `telephony` shows whether
   * calls are being placed, and if not, why, and which callouts are held because of a setting; that is no 503, since webhooks must still be
   * routed here.
   */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    // Nobody needs a password for it: a thousand who ask at once get the answer of one check.
    this.underWay ??= this.check().finally(() => (this.underWay = undefined));
    return this.underWay;
  }

  private check(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.database.pingCheck('database', { timeout: PATIENCE }),
      async () => {
        const queue = this.indicators.check('queue');
        return this.queue.ping().then(
          () => queue.up(),
          (error: Error) => queue.down(error.message),
        );
      },
      async () => {
        const unknown = pause(PATIENCE, { dialling: 'unknown' }, { ref: false });
        return this.indicators.check('telephony').up(await Promise.race([this.dialling(), unknown]));
      },
    ]);
  }

  private async dialling(): Promise<{ dialling: string; reason?: string; held_callouts?: HeldCallout[] }> {
    try {
      const [reason, held] = await Promise.all([this.rateLimiter.reason(), heldCallouts(this.reader)]);
      return {
        ...(reason ? { dialling: 'paused', reason } : { dialling: 'on' }),
        ...(held.length > 0 && { held_callouts: held }),
      };
    } catch {
      return { dialling: 'unknown' };
    }
  }
}

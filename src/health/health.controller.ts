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
import { Paces } from '../pace/paces.js';
import { Queue } from '../queue/queue.port.js';

const PATIENCE = 3_000;

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly queue: Queue,
    private readonly paces: Paces,
  ) {}

  /** Tells that the process answers. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * Tells whether what the process needs is there: the database, the queue. 503 with the reason while one is away. Under `telephony` it says
   * whether calls are being placed, and if not, why; that is no 503, since webhooks must still find their way here.
   */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
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

  private async dialling(): Promise<{ dialling: string; reason?: string }> {
    try {
      const reason = await this.paces.reason();
      return reason ? { dialling: 'paused', reason } : { dialling: 'on' };
    } catch {
      return { dialling: 'unknown' };
    }
  }
}

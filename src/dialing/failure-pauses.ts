import type { Logger } from '@nestjs/common';
import type { RateLimitBucket, RateLimiter } from './rate-limiter.js';

/** How many requests in a row may have an unknown outcome before further ones wait. */
const MAX_UNKNOWN_IN_A_ROW = 10;

/** Pauses the requests of a bucket after a failure that further requests would have, too. */
export class FailurePauses {
  private unknownInARow = 0;

  /** @param subject what a warning in the log begins with, such as `Calls cannot be recalled: ` */
  constructor(
    private readonly rateLimiter: RateLimiter,
    private readonly bucket: RateLimitBucket,
    private readonly logger: Logger,
    private readonly subject = '',
  ) {}

  /** Pauses the bucket if the outcome of a request shows that further ones would fail. */
  async after(result: { outcome: string; message?: string }): Promise<void> {
    this.unknownInARow = result.outcome === 'unknown' ? this.unknownInARow + 1 : 0;
    const reason = this.reasonOf(result);
    if (reason === undefined) return;
    this.logger.warn(`${this.subject}${reason ?? 'The provider takes no more requests for a moment (429)'}`);
    await this.rateLimiter.pause(this.bucket, reason);
  }

  /**
   * @returns undefined if requests go on; null for a short pause that needs no action; otherwise the reason, for people
   */
  private reasonOf({ outcome, message = '' }: { outcome: string; message?: string }): string | null | undefined {
    switch (outcome) {
      case 'barred':
        return message;
      case 'unreachable':
        return `The provider cannot be reached: ${message}`;
      case 'postponed':
        return null;
      case 'unknown':
        if (this.unknownInARow < MAX_UNKNOWN_IN_A_ROW) return undefined;
        return `The provider does not answer as it should: ${message}`;
      default:
        return undefined;
    }
  }
}

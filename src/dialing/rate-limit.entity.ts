import { Column, Entity, PrimaryColumn } from 'typeorm';
import { BigIntColumn, TextColumn } from '../database/columns.js';

/** The state of a rate limit bucket: one row for the whole cluster. Its times are in ms of the database clock. */
@Entity('paces')
export class RateLimitRow {
  @PrimaryColumn({ type: 'text' })
  name!: string;

  /** When the next request may be sent. */
  @BigIntColumn({ defaultValue: 0 })
  next_at!: number;

  /** Until when no request may be sent. */
  @BigIntColumn({ defaultValue: 0 })
  paused_until!: number;

  /** Why no request may be sent; null for a short pause that needs no action. */
  @TextColumn({ nullable: true })
  reason!: string | null;

  /** The number of pauses since the provider last answered a request. */
  @Column({ type: 'integer', default: 0 })
  pauses!: number;
}

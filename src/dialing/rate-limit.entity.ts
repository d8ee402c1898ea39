import { Column, Entity, PrimaryColumn } from 'typeorm';
import { BigIntColumn, TextColumn } from '../database/columns.js';

/**
 * How fast requests of one kind go to the provider: one row for the whole cluster, whose times are milliseconds of the
 * database's clock.
 */
@Entity('paces')
export class RateLimitRow {
  @PrimaryColumn({ type: 'text' })
  name!: string;

  /** When the next request may be sent. */
  @BigIntColumn({ defaultValue: 0 })
  next_at!: number;

  /** Until when none may. */
  @BigIntColumn({ defaultValue: 0 })
  paused_until!: number;

  /** Why none may; null when only a moment is waited. */
  @TextColumn({ nullable: true })
  reason!: string | null;

  /** Pauses since the last request that was taken. */
  @Column({ type: 'integer', default: 0 })
  pauses!: number;
}

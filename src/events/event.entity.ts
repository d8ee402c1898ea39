import { ApiProperty } from '@nestjs/swagger';
import { Column, Entity, Index } from 'typeorm';
import { BigIntColumn, IdColumn, TextColumn, TimestampColumn } from '../database/columns.js';
import { isPostgres } from '../database/dialect.js';
import { type EventType, type ResourceType, eventTypes, resourceTypes } from './event-types.js';

const descriptions = Object.entries(eventTypes).map(([type, meaning]) => `- \`${type}\`: ${meaning}`);

/**
 * A change of a record. Database triggers write events in the transaction of the change (docs/adr/0004). The program
 * only reads and deletes them.
 */
@Entity('events')
@Index('events_resource', ['resource_type', 'resource_id', 'id'])
export class Event {
  /**
   * Greater than the ids of all events that were listed before. Ids have gaps.
   * @example 1
   */
  @IdColumn()
  id!: number;

  @ApiProperty({
    enum: Object.keys(eventTypes),
    description: `What happened:\n${descriptions.join('\n')}`,
    example: 'phone_call.completed',
  })
  @TextColumn()
  type!: EventType;

  /** The type of the record that changed. */
  @ApiProperty({ enum: resourceTypes, example: 'phone_call' })
  @TextColumn()
  resource_type!: ResourceType;

  /**
   * The id of the record that changed.
   * @example 1
   */
  @BigIntColumn()
  resource_id!: number;

  /**
   * The attribute that changed, with its values before and after: `status`, or `do_not_call` of a contact's metadata. A
   * phone call also has its `callout_id`, `callout_participation_id` and `contact_id`, and a batch operation its
   * `callout_id`.
   * @example {"status": ["in_progress", "completed"], "callout_id": 1, "callout_participation_id": 1, "contact_id": 1}
   */
  @Column({ type: isPostgres ? 'jsonb' : 'simple-json' })
  changes!: Record<string, unknown>;

  /** When it happened. */
  @TimestampColumn()
  created_at!: Date;
}

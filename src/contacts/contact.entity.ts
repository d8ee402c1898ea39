import { Entity, Index } from 'typeorm';
import { IdColumn, JsonColumn, TextColumn, TimestampColumn } from '../database/columns.js';
import type { Metadata } from '../metadata/metadata.js';

/** A person who can be called. */
@Entity('contacts')
@Index('contacts_msisdn_key', ['msisdn'], { unique: true })
@Index('contacts_metadata', { synchronize: false })
@Index('contacts_do_not_call', { synchronize: false })
export class Contact {
  /** @example 1 */
  @IdColumn()
  id!: number;

  /**
   * The phone number in E.164.
   * @example "+85510202101"
   */
  @TextColumn()
  msisdn!: string;

  /**
   * Any further data about the person.
   * @example { "name": "Alice", "gender": "f" }
   */
  @JsonColumn()
  metadata!: Metadata;

  @TimestampColumn()
  created_at!: Date;

  @TimestampColumn()
  updated_at!: Date;
}

import { Entity, PrimaryColumn } from 'typeorm';
import { TextColumn } from './columns.js';

/** A named value that all processes of an installation share. */
@Entity('settings')
export class StoredSetting {
  @PrimaryColumn({ type: 'text' })
  name!: string;

  @TextColumn()
  value!: string;
}

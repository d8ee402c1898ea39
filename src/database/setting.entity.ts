import { Entity, PrimaryColumn } from 'typeorm';
import { TextColumn } from './columns.js';

/** A value that the program keeps for all processes of an installation, by its name. */
@Entity('settings')
export class Setting {
  @PrimaryColumn({ type: 'text' })
  name!: string;

  @TextColumn()
  value!: string;
}

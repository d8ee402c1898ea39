import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { BackgroundReader } from './reader.js';
import { BackgroundUnitOfWork } from './unit-of-work.js';

type Row = { value: string };

/** Values that all processes of an installation share, kept in its database. */
@Injectable()
export class Settings {
  constructor(
    private readonly reader: BackgroundReader,
    private readonly unitOfWork: BackgroundUnitOfWork,
  ) {}

  /**
   * Returns the value of a setting, and stores what `make` returns if there is none yet. Processes that do so at the same time all get the
   * value of the first one.
   */
  async getOrCreate(name: string, make: () => string): Promise<string> {
    const stored = await this.reader.row<Row>(sql`SELECT value FROM settings WHERE name = ${name}`);
    if (stored) return stored.value;
    // DO UPDATE, since DO NOTHING returns no row when another process was first.
    const [created] = await this.unitOfWork.single<Row>(
      sql`INSERT INTO settings (name, value) VALUES (${name}, ${make()})
        ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING value`,
    );
    return created!.value;
  }
}

import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { BackgroundReader } from './reader.js';
import { BackgroundUnitOfWork } from './unit-of-work.js';

type Row = { value: string };

/** Named values that all processes of an installation share. They are stored in the database. */
@Injectable()
export class StoredSettings {
  constructor(
    private readonly reader: BackgroundReader,
    private readonly unitOfWork: BackgroundUnitOfWork,
  ) {}

  /**
   * Returns a stored value. If there is none, stores the value that `create` returns. Processes that do so at the same
   * time all get the same value.
   */
  async getOrCreate(name: string, create: () => string): Promise<string> {
    const stored = await this.reader.row<Row>(sql`SELECT value FROM settings WHERE name = ${name}`);
    if (stored) return stored.value;
    // DO UPDATE, because DO NOTHING returns no row if another process was first.
    const [created] = await this.unitOfWork.query<Row>(
      sql`INSERT INTO settings (name, value) VALUES (${name}, ${create()})
        ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING value`,
    );
    return created!.value;
  }
}

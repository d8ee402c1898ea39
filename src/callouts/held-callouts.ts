import sql from 'sql-template-tag';
import type { Reader } from '../database/reader.js';

/** The most held callouts that are shown. */
const MAX_SHOWN = 10;

/** A callout that the system paused, and why. */
export interface HeldCallout {
  id: number;
  because: string;
}

/** Finds the latest callouts that are held because the provider refuses their calls. */
export async function findHeldCallouts(reader: Reader): Promise<HeldCallout[]> {
  return reader.rows<HeldCallout>(
    sql`SELECT id, held_because AS because FROM callouts WHERE held_because IS NOT NULL
      ORDER BY id DESC LIMIT ${MAX_SHOWN}`,
  );
}

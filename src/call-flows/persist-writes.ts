import type { EntityTarget, FindOptionsWhere } from 'typeorm';
import { CalloutParticipation } from '../callout-participations/callout-participation.entity.js';
import { Callout } from '../callouts/callout.entity.js';
import { Contact } from '../contacts/contact.entity.js';
import { now } from '../database/dialect.js';
import { findForUpdate } from '../database/rows.js';
import type { Transaction } from '../database/transaction.js';
import { type Metadata, mergeMetadata } from '../metadata/metadata.js';
import type { CallContext, MetadataWrites } from './call-flow.js';

/** The records besides the phone call that flows write to, in the order in which transactions lock them. */
const writableRecords = [
  ['contact', Contact],
  ['participation', CalloutParticipation],
  ['callout', Callout],
] as const;

/**
 * Merges the metadata that flows returned into the contacts, participations and callouts. The caller stores that of the
 * phone calls. Rows of one table are locked in the order of their ids.
 */
export async function persistWrites(
  transaction: Transaction,
  results: readonly { context: CallContext; writes: MetadataWrites }[],
): Promise<void> {
  for (const [record, entity] of writableRecords) {
    const writes = results.flatMap(({ context, writes: { [record]: metadata } }) => {
      const id = context[record]?.id;
      return id !== undefined && metadata ? [{ id, metadata }] : [];
    });
    for (const { id, metadata } of writes.toSorted((one, other) => one.id - other.id)) {
      await mergeInto(transaction, entity, id, metadata);
    }
  }
}

async function mergeInto<T extends { id: number; metadata: Metadata }>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  id: number,
  changes: Metadata,
): Promise<void> {
  const { metadata } = await findForUpdate(transaction, entity, id);
  const update = { metadata: mergeMetadata(metadata, changes), updated_at: () => now.text };
  await transaction.update(entity, { id } as FindOptionsWhere<T>, update);
}

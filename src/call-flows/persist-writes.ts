import type { EntityTarget, FindOptionsWhere } from 'typeorm';
import { CalloutParticipation } from '../callout-participations/callout-participation.entity.js';
import { Callout } from '../callouts/callout.entity.js';
import { Contact } from '../contacts/contact.entity.js';
import { now } from '../database/dialect.js';
import { findForChange } from '../database/rows.js';
import type { Transaction } from '../database/transaction.js';
import { type Metadata, mergeMetadata } from '../metadata/metadata.js';
import { refreshMovedContacts } from '../outcomes/refresh-moved-contacts.js';
import { lockParticipations, refreshOutcomes } from '../outcomes/refresh-outcomes.js';
import type { CallContext, MetadataWrites } from './call-flow.js';

type FlowResult = Readonly<{ context: CallContext; writes: MetadataWrites }>;

/**
 * Merges the metadata that flows returned into the contacts, participations and callouts, and refreshes the outcomes of
 * the participations. The caller stores the metadata of the phone calls. The tables are locked in the order in which
 * all transactions lock them, and the rows of each in the order of their ids.
 *
 * @param moved the participations whose calls the caller has moved
 */
export async function persistWrites(
  transaction: Transaction,
  results: readonly FlowResult[],
  moved: ReadonlySet<number>,
): Promise<void> {
  const contacts = await mergeAll(transaction, Contact, writesTo('contact', results));
  const writes = writesTo('participation', results);
  const participations = new Set([...moved, ...writes.map(({ id }) => id)]);
  if (writes.length > 0) await lockParticipations(transaction, participations);
  await mergeAll(transaction, CalloutParticipation, writes);
  await refreshOutcomes(transaction, participations);
  await refreshMovedContacts(transaction, contacts, { noWait: true });
  await mergeAll(transaction, Callout, writesTo('callout', results));
}

interface Write {
  id: number;
  metadata: Metadata;
}

/** @returns the writes to the records of one table, in the order of their ids */
function writesTo(record: 'contact' | 'participation' | 'callout', results: readonly FlowResult[]): Write[] {
  const writes = results.flatMap(({ context, writes: { [record]: metadata } }) => {
    const id = context[record]?.id;
    return id !== undefined && metadata ? [{ id, metadata }] : [];
  });
  return writes.toSorted((one, other) => one.id - other.id);
}

/** @returns the metadata of each record before and after */
async function mergeAll<T extends Write>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  writes: readonly Write[],
): Promise<{ id: number; before: Metadata; after: Metadata }[]> {
  const merged: { id: number; before: Metadata; after: Metadata }[] = [];
  for (const { id, metadata: changes } of writes) {
    const { metadata: before } = await findForChange(transaction, entity, id);
    const after = mergeMetadata(before, changes);
    await transaction.update(entity, { id } as FindOptionsWhere<T>, { metadata: after, updated_at: () => now.text });
    merged.push({ id, before, after });
  }
  return merged;
}

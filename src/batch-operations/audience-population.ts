import { isDeepStrictEqual } from 'node:util';
import { In } from 'typeorm';
import sql from 'sql-template-tag';
import { now, parseJson } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import type { Metadata } from '../metadata/metadata.js';
import { BatchOperation } from './batch-operation.entity.js';
import { batchOperationMachine } from './batch-operation.machine.js';
import { newRun } from './new-run.js';
import { CALLOUT_POPULATION } from './types/population-parameters.js';

const { queue, requeue } = batchOperationMachine;

/**
 * Queues the population that adds the audience of a callout. It is the callout's newest population with the same
 * parameters, or a new one. A population that is queued or running already is left as it is. The caller notifies the
 * queue after the commit.
 * @param parameters the parameters of the population
 * @returns the id of the batch operation
 */
export async function queueAudiencePopulation(
  transaction: Transaction,
  calloutId: number,
  parameters: Metadata,
): Promise<number> {
  const populations = await transaction.query<Pick<BatchOperation, 'id' | 'parameters'>>(
    sql`SELECT id, parameters FROM batch_operations WHERE callout_id = ${calloutId} AND type = ${CALLOUT_POPULATION}
      ORDER BY id DESC`,
  );
  const existing = populations.find(({ parameters: other }) => isDeepStrictEqual(parseJson(other), parameters));
  if (!existing) {
    const values = { type: CALLOUT_POPULATION, callout_id: calloutId, parameters, metadata: {}, status: queue.to };
    return transaction.insert(BatchOperation, values);
  }
  const idle = { id: existing.id, status: In([...queue.from, ...requeue.from]) };
  await transaction.update(BatchOperation, idle, { ...newRun, status: queue.to, updated_at: () => now.text });
  return existing.id;
}

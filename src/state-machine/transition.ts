import type { EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import { now } from '../database/dialect.js';
import type { Transaction } from '../database/transaction.js';
import type { Checked } from '../api/checked-body.js';
import { ValidationError, NotFoundError, messages, throwIfInvalid } from '../errors/errors.js';
import { type Conditions, type Transitions, nextState } from './state-machine.js';

/** A body that names an event. */
export type CheckedEvent = Checked<{ event: string }>;

interface Stateful extends ObjectLiteral {
  id: number;
  status: string;
}

/**
 * Applies `event` to a row, and sets `changes` in the same statement. Uses compare-and-set on the status: of two
 * concurrent transitions exactly one succeeds.
 * @param conditions the conditions that are true for the row, for events whose target depends on them
 * @throws NotFoundError
 * @throws ValidationError when the event is unknown, or not possible in the row's current status
 */
export async function transition<T extends Stateful>(
  transaction: Transaction,
  entity: EntityTarget<T>,
  id: number,
  machine: Transitions<T['status']>,
  event: CheckedEvent,
  changes: object = {},
  conditions?: Conditions,
): Promise<void> {
  const row = await transaction.find(entity, { id } as FindOptionsWhere<T>);
  if (!row) throw new NotFoundError();
  const { status } = row;
  const next = { ...changes, status: nextStatus(machine, status, event, conditions), updated_at: () => now.text };
  const updated = await transaction.update(entity, { id, status } as FindOptionsWhere<T>, next);
  if (updated !== 1) throw new ValidationError({ event: [messages.notIncluded] });
}

/**
 * @returns the status to which the event of a body leads from `status`
 * @throws ValidationError with all errors in the body, including an event that is not possible in `status`
 */
export function nextStatus<Status extends string>(
  machine: Transitions<Status>,
  status: Status,
  { dto, errors }: CheckedEvent,
  conditions?: Conditions,
): Status {
  const next = nextState<Status>(machine, status, dto.event, conditions);
  throwIfInvalid(next === undefined ? { ...errors, event: [messages.notIncluded] } : errors);
  return next!;
}

import type { EntityManager, EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import { now } from '../database/dialect.js';
import { Invalid, NotFound, messages } from '../http/errors.js';
import { type Transitions, nextState } from './state-machine.js';

interface Stateful extends ObjectLiteral {
  id: number;
  status: string;
}

/**
 * Moves a row on by `event`, and sets `changes` with it, by compare-and-set: of two moves at once exactly one wins.
 * @throws NotFound
 * @throws Invalid when the event is unknown, or cannot happen in the row's present status
 */
export async function transition<T extends Stateful>(
  manager: EntityManager,
  entity: EntityTarget<T>,
  id: number,
  machine: Transitions<T['status']>,
  event: unknown,
  changes: Partial<T> = {},
): Promise<void> {
  const row = await manager.findOneBy(entity, { id } as FindOptionsWhere<T>);
  if (!row) throw new NotFound();
  const { status } = row;
  const to = nextState<T['status']>(machine, status, event);
  const moved =
    to !== undefined &&
    (await manager
      .createQueryBuilder()
      .update(entity)
      .set({ ...changes, status: to, updated_at: () => now.text } as object)
      .where({ id, status })
      .execute());
  if (!moved || moved.affected !== 1) throw new Invalid({ event: [messages.notIncluded] });
}

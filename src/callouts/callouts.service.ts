import { Injectable } from '@nestjs/common';
import sql from 'sql-template-tag';
import { queueAudiencePopulation } from '../batch-operations/audience-population.js';
import { CallFlowRegistry } from '../call-flows/call-flow-registry.js';
import { contactResource } from '../contacts/contact.resource.js';
import { now, nowMilliseconds, timestampText } from '../database/dialect.js';
import { findForChange, findForUpdate, assertNoDependents, updateRow } from '../database/rows.js';
import type { Transaction } from '../database/transaction.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { type Checked, type CheckedUpdate, validDto } from '../api/checked-body.js';
import { type FieldErrors, throwIfInvalid } from '../errors/errors.js';
import { Queue } from '../jobs/queue.port.js';
import type { ListRequest } from '../api/list-request.js';
import type { Page } from '../api/pagination.js';
import { changesTo } from '../api/resources/changes.js';
import { Records } from '../api/resources/records.js';
import type { Row } from '../api/resources/resource.js';
import { lockCalloutStatus } from '../outcomes/lock-callout-status.js';
import {
  type RecallRequest,
  endRecalls,
  lockForRecall,
  repeatRecall,
  requestRecall,
} from '../recalls/request-recall.js';
import { nextStatus, transition } from '../state-machine/transition.js';
import { populationParametersOf } from './audience.js';
import { statusColumns } from './callout-status.js';
import type { CalloutDto, CalloutEventDto } from './callout.dto.js';
import { Callout } from './callout.entity.js';
import { type CalloutStatus, STARTS_LATER, calloutMachine } from './callout.machine.js';
import { calloutResource } from './callout.resource.js';

const IN_THE_PAST = 'is in the past';

type CalloutTimes = Pick<CalloutDto, 'starts_at' | 'expires_at'>;

@Injectable()
export class CalloutsService {
  constructor(
    private readonly records: Records,
    private readonly unitOfWork: UnitOfWork,
    private readonly callFlows: CallFlowRegistry,
    private readonly queue: Queue,
  ) {}

  list(list: ListRequest): Promise<Page> {
    return this.records.list(calloutResource, list);
  }

  /** Lists the callouts in which a contact takes part. @throws NotFoundError if the contact does not exist */
  listOfContact(contactId: number, list: ListRequest): Promise<Page> {
    const joined = sql`SELECT callout_id FROM callout_participations WHERE contact_id = ${contactId}`;
    const scope = sql`callouts.id IN (${joined})`;
    return this.records.listUnder(contactResource, contactId, calloutResource, list, scope);
  }

  find(id: number): Promise<Row> {
    return this.records.find(calloutResource, id);
  }

  async create(callout: Checked<CalloutDto>): Promise<Row> {
    const { metadata_merge_mode: _, ...attributes } = validDto(callout);
    return this.unitOfWork.run(async (transaction) => {
      throwIfInvalid(await expiryErrors(transaction, attributes, attributes));
      const trial = { trial_began_at: () => now.text };
      const id = await transaction.insert(Callout, { status: 'initialized', ...toColumns(attributes), ...trial });
      return this.records.find(calloutResource, id, transaction);
    });
  }

  /** @throws ValidationError if a field is invalid, or a running or scheduled callout would have nothing to say */
  async update(id: number, body: CheckedUpdate<CalloutDto>): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      await lockCalloutStatus(transaction, id, 'change');
      const row = await this.records.findForChange(calloutResource, id, transaction);
      const { changes, errors } = changesTo(calloutResource, row, body);
      const changed = { ...row, ...changes } as unknown as Callout & CalloutTimes;
      throwIfInvalid({
        ...(!errors.starts_at && !errors.expires_at && (await expiryErrors(transaction, changed, changes))),
        ...errors,
      });
      const isChanged = Object.keys(changes).length > 0;
      if (isChanged && willDial(changed.status)) this.assertCallFlowReady(changed);
      // The outcomes depend on both.
      const isRefreshed = 'dial_plan' in changes || 'expires_at' in changes;
      if ('expires_at' in changes && willDial(changed.status)) await endRecalls(transaction, id);
      await updateRow(transaction, Callout, id, { ...toColumns(changes), ...(isRefreshed && { outcomes_cursor: 0 }) });
    });
    this.queue.notify({ task: 'callout', id });
  }

  /**
   * Sends an event to a callout. If the callout is to run, now or at its `starts_at`, the population of its audience is
   * queued in the same transaction. `stop`, and `pause` with `recall`, recall the calls at the provider. A callout may
   * be stopped again while the provider has calls of it: it is asked again to end them.
   * @throws ValidationError if the status does not allow the event, or the callout is to run, but has expired or its
   *   call flow rejects its metadata
   */
  async transition(id: number, event: Checked<CalloutEventDto>): Promise<Row> {
    const checked = { dto: event.dto, errors: { ...event.errors, ...optionErrors(event.dto) } };
    const { shown, population } = await this.unitOfWork.run<{ shown: Row; population?: number }>(
      async (transaction) => {
        if (recallsCalls(event.dto)) await lockForRecall(transaction, id);
        else await lockCalloutStatus(transaction, id, 'change');
        const callout = await findForChange(transaction, Callout, id);
        const recall = Object.keys(checked.errors).length === 0 ? recallRequest(event.dto) : undefined;
        if (recall && callout.status === 'stopped' && (await repeatRecall(transaction, id, recall.endStatus)) > 0) {
          return { shown: await this.records.find(calloutResource, id, transaction) };
        }
        const { startsLater, isExpired } = await readClock(transaction, id);
        const conditions = new Set(startsLater ? [STARTS_LATER] : []);
        const to = nextStatus<CalloutStatus>(calloutMachine, callout.status, checked, conditions);
        if (willDial(to)) {
          throwIfInvalid(isExpired ? { expires_at: [IN_THE_PAST] } : {});
          this.assertCallFlowReady(callout);
        }
        if (recall) await requestRecall(transaction, id, recall);
        else if (willDial(to)) await endRecalls(transaction, id);
        await transition(transaction, Callout, id, calloutMachine, checked, statusColumns(callout, to), conditions);
        const added = willDial(to) && callout.audience ? populationParametersOf(callout.audience) : undefined;
        return {
          ...(added && { population: await queueAudiencePopulation(transaction, id, added) }),
          shown: await this.records.find(calloutResource, id, transaction),
        };
      },
    );
    if (population !== undefined) this.queue.notify({ task: 'batch_operation', id: population });
    this.queue.notify({ task: 'callout', id });
    return shown;
  }

  /** @throws ValidationError while other records refer to the callout */
  async delete(id: number): Promise<void> {
    await this.unitOfWork.run(async (transaction) => {
      await lockCalloutStatus(transaction, id, 'change');
      await findForUpdate(transaction, Callout, id);
      await assertNoDependents(transaction, {
        'callout participations': sql`SELECT 1 FROM callout_participations WHERE callout_id = ${id}`,
        'batch operations': sql`SELECT 1 FROM batch_operations WHERE callout_id = ${id}`,
        'phone calls': sql`SELECT 1 FROM phone_calls WHERE callout_id = ${id}`,
      });
      await transaction.execute(sql`DELETE FROM recalls WHERE callout_id = ${id}`);
      await transaction.delete(Callout, id);
    });
  }

  /** @throws ValidationError if the call flow rejects the metadata, for example because there is nothing to say */
  private assertCallFlowReady({ call_flow_logic, metadata }: Pick<Callout, 'call_flow_logic' | 'metadata'>): void {
    throwIfInvalid(this.callFlows.resolve(call_flow_logic).validateMetadata(metadata));
  }
}

/** @returns whether an event recalls the calls that the provider has */
function recallsCalls({ event, recall }: CalloutEventDto): boolean {
  return event === 'stop' || (event === 'pause' && recall === true);
}

/** @returns how the event recalls the calls that the provider has; undefined if it does not */
function recallRequest(dto: CalloutEventDto): RecallRequest | undefined {
  if (!recallsCalls(dto)) return undefined;
  return { reason: dto.event === 'stop' ? 'stop' : 'pause', endStatus: dto.hang_up ? 'completed' : 'canceled' };
}

/** @returns the errors of options that do not belong to the event */
function optionErrors(dto: CalloutEventDto): FieldErrors {
  return {
    ...(dto.recall !== undefined &&
      dto.event !== 'pause' && { recall: ['is only for pause: stop always recalls calls'] }),
    ...(dto.hang_up !== undefined &&
      !recallsCalls(dto) && { hang_up: ['is only for stop, and for pause with recall'] }),
  };
}

/** @returns whether a callout dials with this status, or will begin to dial by itself */
function willDial(status: CalloutStatus): boolean {
  return status === 'running' || status === 'scheduled';
}

/** @returns attributes as columns, with times in the format of the database */
function toColumns({ starts_at, expires_at, ...others }: Partial<CalloutDto>): object {
  const times = Object.entries({ starts_at, expires_at }).filter(([, time]) => time !== undefined);
  return {
    ...others,
    ...Object.fromEntries(times.map(([name, time]) => [name, time ? () => timestampText(time) : null])),
  };
}

/**
 * @param callout the times of the callout after the change
 * @param changes the times that change. An expiry that has passed since it was set is no error
 * @returns the errors of `expires_at`, by the database's clock
 */
async function expiryErrors(
  transaction: Transaction,
  { starts_at, expires_at }: CalloutTimes,
  changes: CalloutTimes,
): Promise<FieldErrors> {
  if (!expires_at || (changes.starts_at === undefined && changes.expires_at === undefined)) return {};
  const [expiry, start] = [Date.parse(expires_at), starts_at ? Date.parse(starts_at) : -Infinity];
  const [clock] = await transaction.query<{ now: number }>(sql`SELECT ${nowMilliseconds} AS now`);
  if (changes.expires_at && expiry <= clock!.now) return { expires_at: [IN_THE_PAST] };
  return expiry <= start ? { expires_at: ['must be after starts_at'] } : {};
}

/** @returns whether a callout has never run and starts later, and whether it has expired, by the database's clock */
async function readClock(transaction: Transaction, id: number): Promise<{ startsLater: boolean; isExpired: boolean }> {
  const [row] = await transaction.query<{ starts_later: boolean | number; expired: boolean | number }>(
    sql`SELECT coalesce(starts_at > ${now} AND started_at IS NULL, FALSE) AS starts_later,
        coalesce(expires_at <= ${now}, FALSE) AS expired
      FROM callouts WHERE id = ${id}`,
  );
  return { startsLater: Boolean(row!.starts_later), isExpired: Boolean(row!.expired) };
}

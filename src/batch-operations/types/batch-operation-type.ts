import type { Type } from '@nestjs/common';
import type { Sql } from 'sql-template-tag';
import type { FieldErrors } from '../../errors/errors.js';
import type { Metadata } from '../../metadata/metadata.js';
import type { BatchOperation } from '../batch-operation.entity.js';
import type { Transaction } from '../../database/transaction.js';
import type { Listed } from './listed.js';
import type { Window } from './window.js';
import { batchOperationTypes } from './batch-operation-types.js';

/** For each kind of record that is listed, the condition for its rows. */
export type Conditions = Partial<Record<Listed, (operation: Scope) => Sql>>;

/** Which rows a batch operation is about. */
export type Scope = Pick<BatchOperation, 'id' | 'callout_id' | 'parameters'>;

/** What a batch operation is before it is created, as far as rules about it need to know. */
export interface Draft {
  callout_id: number | null;
  parameters: Metadata;
}

/** What one step of a run did: the source rows that it looked at, and what came of them. */
export interface Step extends Window {
  /** Rows that were made or moved. */
  processed: number;
}

/** How much one step does at the most. */
export interface Bounds {
  /** Source rows that it looks at. */
  size: number;
  /** Rows that it makes or moves. */
  most: number;
}

/** What one type of batch operation does. */
export interface BatchOperationType {
  /** What of the draft is broken: parameters that do not exist, filters that cannot be read, a callout that is missing. */
  validate(draft: Draft): FieldErrors;
  /** The name under which an error stands when its preview is empty; absent when it may be. */
  readonly needsPreview?: string;
  /** Exactly the rows that running it now would touch. */
  readonly preview: Conditions;
  /** The rows that it would touch but for the people's own wish; absent where there is no such wish. */
  readonly leftOut?: Conditions;
  /** The rows that it has touched so far. */
  readonly results: Conditions;
  /** The table whose rows it makes or moves. */
  readonly target: 'callout_participations' | 'phone_calls';
  /** The list of the preview whose rows a run works through: as many as it has are its total. */
  readonly source: Listed;
  /** Whether a run must end at the total that was counted when it began, also if there is more to do by then. */
  readonly isLimited?: (operation: Scope) => boolean;
  /** Does the next chunk, from `operation.cursor` on, within the transaction that also keeps the cursor. */
  step(transaction: Transaction, operation: BatchOperation, bounds: Bounds): Promise<Step>;
}

/** Makes a class a type of batch operation. `BatchOperationTypesModule` lists it as a provider. */
export const BatchOperationTypeName = (name: string) => (type: Type<BatchOperationType>) =>
  batchOperationTypes.register(name, type);

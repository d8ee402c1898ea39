import { ApiProperty } from '@nestjs/swagger';
import { messages } from '../errors/errors.js';
import { Read } from '../http/readers.js';
import { IsAnything, IsIncludedIn, IsJsonObject, Optional } from '../http/rules.js';
import { MetadataDto } from '../metadata/metadata.dto.js';
import type { Metadata } from '../metadata/metadata.js';
import { batchOperationMachine } from './batch-operation.machine.js';
import { type BatchOperationType, batchOperationTypes } from './batch-operation.types.js';
import { readParameters } from './types/parameters.js';

export class UpdateBatchOperationDto extends MetadataDto {
  /**
   * What it does, and to which rows; replaced as a whole. A population takes `contact_filter_params` and `include_do_not_call`.
   * @example { "contact_filter_params": { "metadata": { "gender": "f" } } }
   */
  @Read(readParameters)
  @IsJsonObject()
  parameters?: Metadata;
}

export class CreateCalloutBatchOperationDto extends UpdateBatchOperationDto {
  /** What kind of work it is. */
  @ApiProperty({ enum: batchOperationTypes, example: 'BatchOperation::CalloutPopulation' })
  @IsIncludedIn(batchOperationTypes, messages.blank)
  type!: BatchOperationType;
}

export class CreateBatchOperationDto extends CreateCalloutBatchOperationDto {
  /**
   * The callout that is worked on; a population needs one.
   * @example 1
   */
  @Optional()
  @IsAnything()
  callout_id?: number;
}

export class BatchOperationEventDto {
  /** What is to happen: possible or not, as the batch operation stands. */
  @ApiProperty({ enum: Object.keys(batchOperationMachine), example: 'queue' })
  @IsIncludedIn(Object.keys(batchOperationMachine))
  event!: string;
}

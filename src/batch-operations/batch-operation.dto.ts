import { ApiProperty } from '@nestjs/swagger';
import { messages } from '../errors/errors.js';
import { Convert } from '../api/converters.js';
import { IsAnything, IsIncludedIn, IsJsonObject, Optional } from '../api/rules.js';
import { MetadataDto } from '../api/metadata.dto.js';
import type { Metadata } from '../metadata/metadata.js';
import { batchOperationMachine } from './batch-operation.machine.js';
import { readParameters } from './types/parameters.js';
import { batchOperationTypeNames } from './types/types.module.js';

export class UpdateBatchOperationDto extends MetadataDto {
  /**
   * What it does, and to which rows. An update replaces them as a whole. A population takes `contact_filter_params` and
   * `include_do_not_call`.
   * @example { "contact_filter_params": { "metadata": { "gender": "f" } } }
   */
  @Convert(readParameters)
  @IsJsonObject()
  parameters?: Metadata;
}

export class CreateCalloutBatchOperationDto extends UpdateBatchOperationDto {
  /** The type of the batch operation. */
  @ApiProperty({ enum: batchOperationTypeNames, example: 'BatchOperation::CalloutPopulation' })
  @IsIncludedIn(batchOperationTypeNames, messages.blank)
  type!: string;
}

export class CreateBatchOperationDto extends CreateCalloutBatchOperationDto {
  /**
   * The callout that it works on. A population needs one.
   * @example 1
   */
  @Optional()
  @IsAnything()
  callout_id?: number;
}

export class BatchOperationEventDto {
  /** The event. Whether it is allowed depends on the status of the batch operation. */
  @ApiProperty({ enum: Object.keys(batchOperationMachine), example: 'queue' })
  @IsIncludedIn(Object.keys(batchOperationMachine))
  event!: string;
}

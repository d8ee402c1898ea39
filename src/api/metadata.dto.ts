import { ApiProperty } from '@nestjs/swagger';
import { IsJsonObject, IsMergeMode } from './rules.js';
import { type MergeMode, type Metadata, mergeModes } from '../metadata/metadata.js';

/** The fields of every body that changes or creates a record. */
export abstract class MetadataDto {
  /**
   * Data of your own, stored with the record: any JSON object.
   * @example { "name": "Alice", "gender": "f" }
   */
  @IsJsonObject()
  metadata?: Metadata;

  /** How the new metadata is combined with the stored metadata. */
  @ApiProperty({ enum: mergeModes, default: 'merge', required: false })
  @IsMergeMode()
  metadata_merge_mode?: MergeMode;
}

import { IfGiven, IsMsisdn } from '../api/rules.js';
import { MetadataDto } from '../api/metadata.dto.js';

export class CreateContactDto extends MetadataDto {
  /**
   * The phone number with its country code, in any usual spelling: +855 10 202 101, 00855…, (+855) 10…, or the digits
   * of another script.
   * @example "+85510202101"
   */
  @IsMsisdn()
  msisdn!: string;
}

export class UpdateContactDto extends MetadataDto {
  /**
   * The phone number with its country code, in any usual spelling: +855 10 202 101, 00855…, (+855) 10…, or the digits
   * of another script.
   * @example "+85510202101"
   */
  @IfGiven()
  @IsMsisdn()
  msisdn?: string;
}

import { ApiProperty } from '@nestjs/swagger';

/** The body of an error response that concerns no field. */
export class Failure {
  /** @example 404 */
  status!: number;
  /** @example "Not Found" */
  error!: string;
  /** What is wrong with the request. Some errors have no message. */
  message?: string;
}

/** The body of an error response that lists every invalid field. */
export class FieldFailure {
  /** The messages for each invalid field. The key `base` is for the record as a whole. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { msisdn: ["can't be blank"] },
  })
  errors!: Record<string, string[]>;
}

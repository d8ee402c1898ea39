import { ApiProperty } from '@nestjs/swagger';

/** An answer that names no field. */
export class Failure {
  /** @example 404 */
  status!: number;
  /** @example "Not Found" */
  error!: string;
  /** What was wrong, where there is something to say. */
  message?: string;
}

/** An answer that names every broken field. */
export class FieldFailure {
  /** The messages of each broken field; `base` is the record as a whole. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { msisdn: ["can't be blank"] },
  })
  errors!: Record<string, string[]>;
}

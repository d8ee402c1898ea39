import { ApiProperty } from '@nestjs/swagger';

const people = (description: string) => ApiProperty({ type: 'integer', minimum: 0, description });

/**
 * What a stop, a pause or the expiry of a callout could take back. Each person who took part at that moment is in
 * exactly one number.
 */
export class RecallReceipt {
  @ApiProperty({ type: String, format: 'date-time', description: 'When the calls were recalled.' })
  requested_at!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Who recalled them; null for the system and for clients without a name.',
  })
  requested_by!: string | null;

  @ApiProperty({ type: Boolean, description: 'Whether the fate of each call is known: `pending` is 0.' })
  settled!: boolean;

  @people('People whose next call was not dialed.')
  not_dialed!: number;

  @people('People whose call the provider ended before anybody answered it.')
  recalled!: number;

  @people('People who answered before the provider ended their call.')
  answered_before!: number;

  @people('People whose call ended in another way: it was busy or failed, nobody answered it, or its fate is unknown.')
  could_not_recall!: number;

  @people('People whose call may still be under way. The provider is asked until it is known to have ended.')
  pending!: number;

  @people('People who were in a conversation. It goes on, unless `hang_up` was requested.')
  talking!: number;

  @people('People who were not being called, and were not to be called any more.')
  done_before!: number;
}

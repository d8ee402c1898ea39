import { MetadataDto } from '../api/metadata.dto.js';

export class UpdateRemotePhoneCallEventDto extends MetadataDto {}

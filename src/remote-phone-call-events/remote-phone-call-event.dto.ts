import { MetadataDto } from '../metadata/metadata.dto.js';

export class UpdateRemotePhoneCallEventDto extends MetadataDto {}

import { Module } from '@nestjs/common';
import { CalloutPopulationKind } from './callout-population.type.js';
import { Kinds } from '../batch-operation-registry.js';
import { PhoneCallCreateKind } from './phone-call-create.type.js';
import { PhoneCallQueueRemoteFetchKind } from './phone-call-queue-remote-fetch.type.js';
import { PhoneCallQueueKind } from './phone-call-queue.type.js';

const kinds = [CalloutPopulationKind, PhoneCallCreateKind, PhoneCallQueueKind, PhoneCallQueueRemoteFetchKind];

@Module({ providers: [Kinds, ...kinds], exports: [Kinds] })
export class KindsModule {}

import { Module } from '@nestjs/common';
import { CalloutPopulationKind } from './callout-population.kind.js';
import { Kinds } from './kinds.js';
import { PhoneCallCreateKind } from './phone-call-create.kind.js';
import { PhoneCallQueueRemoteFetchKind } from './phone-call-queue-remote-fetch.kind.js';
import { PhoneCallQueueKind } from './phone-call-queue.kind.js';

const kinds = [CalloutPopulationKind, PhoneCallCreateKind, PhoneCallQueueKind, PhoneCallQueueRemoteFetchKind];

@Module({ providers: [Kinds, ...kinds], exports: [Kinds] })
export class KindsModule {}

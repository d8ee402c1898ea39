import { Module } from '@nestjs/common';
import { CalloutPopulationKind } from './callout-population.kind.js';
import { Kinds } from './kinds.js';

@Module({ providers: [Kinds, CalloutPopulationKind], exports: [Kinds] })
export class KindsModule {}

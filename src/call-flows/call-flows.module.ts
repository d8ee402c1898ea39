import { Module } from '@nestjs/common';
import { ApplicationCallFlow } from './application.call-flow.js';
import { CallFlows } from './call-flows.js';

@Module({ providers: [CallFlows, ApplicationCallFlow], exports: [CallFlows] })
export class CallFlowsModule {}

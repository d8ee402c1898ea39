import { Module } from '@nestjs/common';
import { ApplicationCallFlow } from './application.call-flow.js';
import { CallFlowRegistry } from './call-flow-registry.js';
import { CallFlowRunner } from './call-flow-runner.js';
import { PlayMessageCallFlow } from './play-message.call-flow.js';
import { RegistrationCallFlow } from './registration.call-flow.js';

@Module({
  providers: [CallFlowRegistry, CallFlowRunner, ApplicationCallFlow, PlayMessageCallFlow, RegistrationCallFlow],
  exports: [CallFlowRegistry, CallFlowRunner],
})
export class CallFlowsModule {}

import { Module } from '@nestjs/common';
import { ApplicationCallFlow } from './application.call-flow.js';
import { CallFlows } from './call-flows.js';
import { Conversations } from './conversations.js';
import { PlayMessageCallFlow } from './play-message.call-flow.js';
import { RegistrationCallFlow } from './registration.call-flow.js';

@Module({
  providers: [CallFlows, Conversations, ApplicationCallFlow, PlayMessageCallFlow, RegistrationCallFlow],
  exports: [CallFlows, Conversations],
})
export class CallFlowsModule {}

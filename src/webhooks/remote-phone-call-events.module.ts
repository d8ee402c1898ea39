import { Module } from '@nestjs/common';
import { CallFlowsModule } from '../call-flows/call-flows.module.js';
import { WebhookCalls } from './webhook-calls.js';
import { WebhookProcessor } from './webhook-processor.js';
import { InboundCalls } from './inbound-calls.js';
import { RemotePhoneCallEventsController } from './remote-phone-call-events.controller.js';
import { RemotePhoneCallEventsService } from './remote-phone-call-events.service.js';
import { WebhookService } from './webhook.service.js';

@Module({
  imports: [CallFlowsModule],
  controllers: [RemotePhoneCallEventsController],
  providers: [RemotePhoneCallEventsService, WebhookService, WebhookProcessor, WebhookCalls, InboundCalls],
})
export class RemotePhoneCallEventsModule {}

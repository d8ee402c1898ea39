import { Module } from '@nestjs/common';
import { CalloutParticipationsController } from './callout-participations.controller.js';
import { CalloutParticipationsService } from './callout-participations.service.js';

@Module({ controllers: [CalloutParticipationsController], providers: [CalloutParticipationsService] })
export class CalloutParticipationsModule {}

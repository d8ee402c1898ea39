import { Module } from '@nestjs/common';
import { PhoneCallsController } from './phone-calls.controller.js';
import { PhoneCallsService } from './phone-calls.service.js';

@Module({ controllers: [PhoneCallsController], providers: [PhoneCallsService] })
export class PhoneCallsModule {}

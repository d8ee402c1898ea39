import { Module } from '@nestjs/common';
import { CallFlowsModule } from '../call-flows/call-flows.module.js';
import { RecallReceipts } from '../recalls/recall-receipt.js';
import { CalloutsController } from './callouts.controller.js';
import { CalloutsService } from './callouts.service.js';

@Module({ imports: [CallFlowsModule], controllers: [CalloutsController], providers: [CalloutsService, RecallReceipts] })
export class CalloutsModule {}

import { Module } from '@nestjs/common';
import { CalloutsController } from './callouts.controller.js';
import { CalloutsService } from './callouts.service.js';

@Module({ controllers: [CalloutsController], providers: [CalloutsService] })
export class CalloutsModule {}

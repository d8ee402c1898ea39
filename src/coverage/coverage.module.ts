import { Module } from '@nestjs/common';
import { CoverageController } from './coverage.controller.js';
import { CoverageService } from './coverage.service.js';
import { TimelineService } from './timeline.service.js';

@Module({ controllers: [CoverageController], providers: [CoverageService, TimelineService] })
export class CoverageModule {}

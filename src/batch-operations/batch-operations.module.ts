import { Module } from '@nestjs/common';
import { BatchOperationsController } from './batch-operations.controller.js';
import { BatchOperationsService } from './batch-operations.service.js';
import { BatchOperationTypesModule } from './types/types.module.js';

@Module({
  imports: [BatchOperationTypesModule],
  controllers: [BatchOperationsController],
  providers: [BatchOperationsService],
})
export class BatchOperationsModule {}

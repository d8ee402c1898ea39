import { type DynamicModule, Module } from '@nestjs/common';
import { CallFlowsModule } from './call-flows/call-flows.module.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { entities } from './entities.js';
import { RateLimiterModule } from './dialing/rate-limiter.module.js';
import { CallReconciler } from './dialing/call-reconciler.js';
import { LostCalls } from './dialing/lost-calls.js';
import { TelephonyModule } from './telephony/telephony.module.js';

/** The part of the program that `npm run reconcile` needs, without the API and the background work. */
@Module({})
export class ReconcileModule {
  static for(config: Config): DynamicModule {
    return {
      module: ReconcileModule,
      imports: [
        ConfigModule.for(config),
        DatabaseModule.for(entities),
        RateLimiterModule,
        TelephonyModule,
        CallFlowsModule,
      ],
      providers: [CallReconciler, LostCalls],
    };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { CallFlowsModule } from './call-flows/call-flows.module.js';
import { Config } from './config.js';
import { DatabaseModule } from './database/database.module.js';
import { RateLimiterModule } from './dialing/rate-limiter.module.js';
import { CallReconciler } from './dialing/call-reconciler.js';
import { LostCalls } from './dialing/lost-calls.js';
import { TelephonyModule } from './telephony/telephony.module.js';

/** What `npm run reconcile` needs of the program: neither the API nor the background work. */
@Module({})
export class ReconcileModule {
  static for(config: Config): DynamicModule {
    return {
      module: ReconcileModule,
      imports: [
        {
          module: class ConfigModule {},
          global: true,
          providers: [{ provide: Config, useValue: config }],
          exports: [Config],
        },
        DatabaseModule,
        RateLimiterModule,
        TelephonyModule,
        CallFlowsModule,
      ],
      providers: [CallReconciler, LostCalls],
    };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { BatchOperationsModule } from './batch-operations/batch-operations.module.js';
import { CalloutParticipationsModule } from './callout-participations/callout-participations.module.js';
import { CalloutsModule } from './callouts/callouts.module.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config.module.js';
import { ContactsModule } from './contacts/contacts.module.js';
import { CoverageModule } from './coverage/coverage.module.js';
import { DatabaseModule } from './database/database.module.js';
import { entities } from './entities.js';
import { EventsModule } from './events/events.module.js';
import { ForecastModule } from './forecast/forecast.module.js';
import { HealthModule } from './health/health.module.js';
import { ErrorFilter } from './api/error.filter.js';
import { NoQueryGuard } from './api/no-query.guard.js';
import { RateLimiterModule } from './dialing/rate-limiter.module.js';
import { PhoneCallsModule } from './phone-calls/phone-calls.module.js';
import { ProcessorModule, tasks } from './processor.module.js';
import { QueueModule } from './jobs/queue.module.js';
import { RemotePhoneCallEventsModule } from './webhooks/remote-phone-call-events.module.js';
import { ResourcesModule } from './api/resources/resources.module.js';
import { TelephonyModule } from './telephony/telephony.module.js';

/** The modules of the API's resources. */
const apiModules = [
  ContactsModule,
  CalloutsModule,
  CalloutParticipationsModule,
  CoverageModule,
  ForecastModule,
  BatchOperationsModule,
  PhoneCallsModule,
  RemotePhoneCallEventsModule,
  EventsModule,
];

@Module({})
export class AppModule {
  /** @returns the module with the API, the background work, or both, according to `config` */
  static for(config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.for(config),
        DatabaseModule.for(entities),
        ResourcesModule,
        QueueModule.for(config, tasks),
        RateLimiterModule,
        TelephonyModule,
        HealthModule,
        ...(config.servesApi ? apiModules : []),
        ...(config.runsBackgroundWork ? [ProcessorModule.for(config)] : []),
      ],
      providers: [
        { provide: APP_GUARD, useClass: NoQueryGuard },
        { provide: APP_FILTER, useClass: ErrorFilter },
      ],
    };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { CallFlowSettings, readCallFlowSettings } from './call-flows/call-flow-settings.js';
import { Config } from './config/config.js';

/** Provides the configuration, and the settings of features that are derived from it, to all modules. */
@Module({})
export class ConfigModule {
  /** @throws ConfigError when a feature cannot use its settings */
  static for(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [
        { provide: Config, useValue: config },
        { provide: CallFlowSettings, useValue: readCallFlowSettings(config) },
      ],
      exports: [Config, CallFlowSettings],
    };
  }
}

import { Global, Module } from '@nestjs/common';
import { Config } from '../config/config.js';
import { OwnAddress } from '../http/own-address.js';
import { Settings } from '../settings/settings.js';
import { ProviderAccounts } from './provider-accounts.js';
import { Provider } from './provider.js';
import { TwilioProvider } from './twilio.provider.js';

/** The one client of the provider. */
@Global()
@Module({
  providers: [
    OwnAddress,
    Settings,
    {
      provide: ProviderAccounts,
      inject: [Config, Settings],
      useFactory: (config: Config, settings: Settings) => ProviderAccounts.resolve(config, settings),
    },
    {
      provide: Provider,
      inject: [Config, ProviderAccounts, OwnAddress],
      useFactory: ({ platform, providerTimeout }: Config, { current }: ProviderAccounts, address: OwnAddress) =>
        new TwilioProvider(current, async () => platform.baseUrl ?? address.simulator(), providerTimeout),
    },
  ],
  exports: [OwnAddress, Provider, ProviderAccounts],
})
export class TelephonyModule {}

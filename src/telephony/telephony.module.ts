import { Global, Module } from '@nestjs/common';
import { Config } from '../config.js';
import { OwnAddress } from '../http/own-address.js';
import { Settings } from '../settings/settings.js';
import { ProviderAccounts } from './provider-accounts.js';
import { TelephonyProvider } from './telephony-provider.js';
import { TwilioProvider } from './twilio/twilio.provider.js';

/** Provides the client of the telephony provider, and the accounts. */
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
      provide: TelephonyProvider,
      inject: [Config, ProviderAccounts, OwnAddress],
      useFactory: ({ platform, providerTimeout }: Config, { current }: ProviderAccounts, address: OwnAddress) =>
        new TwilioProvider(current, async () => platform.baseUrl ?? address.simulator(), providerTimeout),
    },
  ],
  exports: [OwnAddress, TelephonyProvider, ProviderAccounts],
})
export class TelephonyModule {}

import { Global, Module } from '@nestjs/common';
import { Config } from '../config/config.js';
import { PublicUrl } from './public-url.js';
import { StoredSettings } from '../database/stored-settings.js';
import { ProviderAccounts } from './provider-accounts.js';
import { TelephonyProvider } from './telephony-provider.js';
import { TwilioProvider } from './twilio/twilio.provider.js';

/** Provides the client of the telephony provider, and the accounts. */
@Global()
@Module({
  providers: [
    PublicUrl,
    StoredSettings,
    {
      provide: ProviderAccounts,
      inject: [Config, StoredSettings],
      useFactory: (config: Config, settings: StoredSettings) => ProviderAccounts.resolve(config, settings),
    },
    {
      provide: TelephonyProvider,
      inject: [Config, ProviderAccounts, PublicUrl],
      useFactory: ({ platform, providerTimeout }: Config, { current }: ProviderAccounts, publicUrl: PublicUrl) =>
        new TwilioProvider(current, async () => platform.baseUrl ?? publicUrl.simulator(), providerTimeout),
    },
  ],
  exports: [PublicUrl, TelephonyProvider, ProviderAccounts],
})
export class TelephonyModule {}

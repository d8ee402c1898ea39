import { Global, Module } from '@nestjs/common';
import { Config } from '../config.js';
import { OwnAddress } from '../http/own-address.js';
import { Provider } from './provider.js';
import { TwilioProvider } from './twilio.provider.js';

/** The one client of the provider. */
@Global()
@Module({
  providers: [
    OwnAddress,
    {
      provide: Provider,
      inject: [Config, OwnAddress],
      useFactory: ({ platform, providerTimeout }: Config, address: OwnAddress) =>
        new TwilioProvider(platform, async () => platform.baseUrl ?? address.simulator(), providerTimeout),
    },
  ],
  exports: [OwnAddress, Provider],
})
export class TelephonyModule {}

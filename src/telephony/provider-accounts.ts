import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { Account } from '../config/platform.js';
import type { Settings } from '../settings/settings.js';

/** Twilio's account ids are `AC` and 32 hexadecimal digits; this one belongs to nobody. */
const SIMULATOR_SID = `AC${'0'.repeat(32)}`;

/** The setting that holds the simulator's auth token. */
const SIMULATOR_TOKEN = 'simulator_auth_token';

/**
 * The accounts of this installation at its providers. Those of real providers come from the environment. The simulator's token is a secret
 * of the database, so they are known only once that is open.
 */
export class ProviderAccounts {
  private constructor(
    /** The account that calls are placed with. */
    readonly current: Account,
    /** Every account whose webhooks are believed, including one that no calls are placed with any more. */
    readonly trusted: readonly Account[],
  ) {}

  /** Resolves the accounts. The simulator's token is created if the simulator is the provider and there is no token yet. */
  static async resolve({ platform, accounts, simulator }: Config, settings: Settings): Promise<ProviderAccounts> {
    const { twilio, somleng } = accounts;
    const real = [twilio, somleng].filter((account) => account !== undefined);
    // The configuration is refused when the chosen provider has no account.
    if (platform.provider !== 'simulator') return new ProviderAccounts(accounts[platform.provider]!, real);
    const simulated = {
      sid: simulator.accountSid ?? SIMULATOR_SID,
      token: simulator.authToken ?? (await settings.getOrCreate(SIMULATOR_TOKEN, newToken)),
    };
    return new ProviderAccounts(simulated, [...real, simulated]);
  }
}

/** As Twilio's auth tokens are: 128 random bits. */
const newToken = (): string => randomBytes(16).toString('hex');

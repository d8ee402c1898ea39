import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { Account } from '../config/platform.js';
import type { StoredSettings } from '../database/stored-settings.js';

/** The simulator's default account id. Twilio's are `AC` and 32 hexadecimal digits; this one is not assigned. */
const SIMULATOR_SID = `AC${'0'.repeat(32)}`;

/** The name under which the `settings` table stores the simulator's auth token. */
const SIMULATOR_TOKEN = 'simulator_auth_token';

/**
 * The accounts of this installation at its providers. Real accounts come from the environment. The simulator's token is
 * stored in the database, so the accounts are known only after the database is open.
 */
export class ProviderAccounts {
  private constructor(
    /** Places the calls. */
    readonly current: Account,
    /** All accounts whose webhooks are accepted, including a former provider's that places no calls anymore. */
    readonly trusted: readonly Account[],
  ) {}

  /** Resolves the accounts. If the simulator is the provider and has no token yet, one is created and stored. */
  static async resolve({ platform, accounts, simulator }: Config, settings: StoredSettings): Promise<ProviderAccounts> {
    const { twilio, somleng } = accounts;
    const real = [twilio, somleng].filter((account) => account !== undefined);
    // The configuration is invalid if the chosen provider has no account.
    if (platform.provider !== 'simulator') return new ProviderAccounts(accounts[platform.provider]!, real);
    const simulated = {
      sid: simulator.accountSid ?? SIMULATOR_SID,
      token: simulator.authToken ?? (await settings.getOrCreate(SIMULATOR_TOKEN, newToken)),
    };
    return new ProviderAccounts(simulated, [...real, simulated]);
  }
}

/** 128 random bits, like Twilio's auth tokens. */
const newToken = (): string => randomBytes(16).toString('hex');

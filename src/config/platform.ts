import { ConfigError } from '../errors/config-error.js';
import { type Environment, providers } from './environment.js';
import { readWebUrl } from './urls.js';

/** The providers that calls can be placed with. */
export type ProviderName = (typeof providers)[number];

/** An account at a provider that speaks Twilio's API. */
export interface Account {
  sid: string;
  /** Authenticates our requests to the provider, and the provider's webhooks to us. */
  token: string;
}

/** The provider that places the calls. */
export interface Platform {
  provider: ProviderName;
  /** The URL of its API, without the version and without a trailing slash. Undefined: the simulator in this process. */
  baseUrl?: string;
}

/** The accounts at real providers. */
export type Accounts = Readonly<Partial<Record<Exclude<ProviderName, 'simulator'>, Account>>>;

/** Matches a host that other machines cannot reach. */
const NOT_PUBLIC = /^(127(\.\d{1,3}){3}|::1?|0\.0\.0\.0|(.+\.)?localhost)\.?$/;

/**
 * Reads the accounts at real providers.
 *
 * @throws ConfigError when an account has an SID but no token, or a token but no SID
 */
export function readAccounts(env: Environment): Accounts {
  return {
    twilio: readAccount('TWILIO', env.TWILIO_ACCOUNT_SID, env.TWILIO_AUTH_TOKEN),
    somleng: readAccount('SOMLENG', env.SOMLENG_ACCOUNT_SID, env.SOMLENG_AUTH_TOKEN),
  };
}

/**
 * Reads `PLATFORM_PROVIDER`, and the URL of that provider.
 *
 * @throws ConfigError when the provider has no account, or cannot reach this program
 */
export function readPlatform(env: Environment, accounts: Accounts, publicUrl: string | undefined): Platform {
  if (env.NODE_ENV === 'production' && !env.PLATFORM_PROVIDER) {
    throw new ConfigError(
      `PLATFORM_PROVIDER must be one of ${providers.join(', ')}: with NODE_ENV=production it has no default.`,
    );
  }
  const provider = providers.find((name) => name === env.PLATFORM_PROVIDER) ?? 'simulator';
  if (provider !== 'simulator' && !accounts[provider]) {
    const name = provider.toUpperCase();
    throw new ConfigError(
      `${name}_ACCOUNT_SID and ${name}_AUTH_TOKEN must be set when PLATFORM_PROVIDER is ${provider}.`,
    );
  }
  const somlengHost = `https://${env.SOMLENG_CLIENT_REST_API_HOST}`;
  const baseUrls = {
    twilio: readWebUrl(env, 'TWILIO_API_BASE_URL', 'https://api.twilio.com') ?? 'https://api.twilio.com',
    somleng: readWebUrl(env, 'SOMLENG_CLIENT_REST_API_BASE_URL', 'https://api.somleng.org') ?? somlengHost,
    simulator: readWebUrl(env, 'SIMULATOR_URL', 'http://127.0.0.1:3000/simulator'),
  };
  if (provider !== 'simulator') assertReachable(provider, baseUrls[provider], publicUrl);
  return { provider, baseUrl: baseUrls[provider] };
}

function readAccount(provider: string, sid: string | undefined, token: string | undefined): Account | undefined {
  if (sid && token) return { sid, token };
  if (sid || token) throw new ConfigError(`${provider}_ACCOUNT_SID and ${provider}_AUTH_TOKEN must be set together.`);
  return undefined;
}

/**
 * Makes sure that a real provider can send webhooks to this program. Otherwise each call would fail, and people would
 * hear an application error.
 */
function assertReachable(provider: ProviderName, baseUrl: string, publicUrl: string | undefined): void {
  if (!publicUrl)
    throw new ConfigError(
      `PUBLIC_URL must be set when PLATFORM_PROVIDER is ${provider}: the provider calls us back there.`,
    );
  if (isNotPublic(publicUrl) && !isNotPublic(baseUrl))
    throw new ConfigError(
      `PUBLIC_URL is ${publicUrl}, which ${provider} cannot reach: it must be our address for others.`,
    );
}

function isNotPublic(url: string): boolean {
  return NOT_PUBLIC.test(new URL(url).hostname.replaceAll(/^\[|\]$/g, ''));
}

import { basic } from './credentials.js';

/** The account at a program that is the provider of others. */
export const PROVIDER_SID = `AC${'0'.repeat(32)}`;
const TOKEN = 'the token of a provider in a test';

/** What the provider's calls API asks for. */
export const authorization = basic(PROVIDER_SID, TOKEN);

/** Makes a program the provider of others on this machine. */
export const providerEnvironment = {
  SIMULATOR_AUTH_TOKEN: TOKEN,
  SIMULATOR_ALLOWED_ORIGINS: 'http://127.0.0.1:*',
};

/** Makes a program dial the provider at `url`, as it would Somleng. */
export const dialingAt = (url: string) => ({
  PLATFORM_PROVIDER: 'somleng',
  SOMLENG_ACCOUNT_SID: PROVIDER_SID,
  SOMLENG_AUTH_TOKEN: TOKEN,
  SOMLENG_CLIENT_REST_API_BASE_URL: `${url}/simulator`,
});

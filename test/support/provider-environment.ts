import { basicAuth } from './basic-auth.js';

/** The account at a program that is the provider of others. */
export const PROVIDER_SID = `AC${'0'.repeat(32)}`;
const PROVIDER_TOKEN = 'the token of a provider in a test';

/** What the provider's calls API asks for. */
export const providerAuthorization = basicAuth(PROVIDER_SID, PROVIDER_TOKEN);

/** Makes a program the provider of others on this machine. */
export const providerEnvironment = {
  SIMULATOR_AUTH_TOKEN: PROVIDER_TOKEN,
  SIMULATOR_ALLOWED_ORIGINS: 'http://127.0.0.1:*',
};

/** Makes a program dial the provider at `url`, as it would Somleng. */
export const dialingEnvironment = (url: string) => ({
  PLATFORM_PROVIDER: 'somleng',
  SOMLENG_ACCOUNT_SID: PROVIDER_SID,
  SOMLENG_AUTH_TOKEN: PROVIDER_TOKEN,
  SOMLENG_CLIENT_REST_API_BASE_URL: `${url}/simulator`,
});

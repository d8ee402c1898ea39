import { basicAuth } from './basic-auth.js';

/** The account SID of a program that acts as the provider of other programs. */
export const PROVIDER_SID = `AC${'0'.repeat(32)}`;
export const PROVIDER_TOKEN = 'the token of a provider in a test';

/** The credentials for the provider's calls API. */
export const providerAuthorization = basicAuth(PROVIDER_SID, PROVIDER_TOKEN);

/** The settings of a program whose simulator is the provider of other programs on this machine. */
export const providerEnvironment = {
  SIMULATOR_AUTH_TOKEN: PROVIDER_TOKEN,
  SIMULATOR_ALLOWED_ORIGINS: 'http://127.0.0.1:*',
};

/** The settings of a program whose provider is the simulator of the program at `url`. It uses the Somleng API. */
export const dialingEnvironment = (url: string) => ({
  PLATFORM_PROVIDER: 'somleng',
  SOMLENG_ACCOUNT_SID: PROVIDER_SID,
  SOMLENG_AUTH_TOKEN: PROVIDER_TOKEN,
  SOMLENG_CLIENT_REST_API_BASE_URL: `${url}/simulator`,
});

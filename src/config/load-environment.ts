import { readEnvFile } from './env-file.js';
import { settingNames } from './environment.js';
import { findMisspelledSettings } from './misspelled-settings.js';

const ENV_FILE = '.env';

/**
 * Adds the variables of the file `.env` in the working directory to `process.env`. A variable that is already set wins.
 * Prints warnings about misspelled names to the standard error.
 *
 * @throws ConfigError when the file cannot be used
 */
export function loadEnvironment(): void {
  const { variables, warnings } = readEnvFile(ENV_FILE);
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
  for (const warning of [...warnings, ...findMisspelledSettings(settingNames(), Object.keys(variables), process.env)])
    console.error(warning);
}

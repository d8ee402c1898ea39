import { distance } from 'fastest-levenshtein';
import type { Variables } from './environment.js';

/** Variables that docker-compose.yml, the drivers or Node.js read. */
const FOREIGN_VARIABLES = /^(?:POSTGRES_PASSWORD|PG[A-Z]+|TZ|(?:HTTPS?|NO)_PROXY|https?_proxy|no_proxy)$/;

/** The maximum share of wrong letters in a misspelled name. */
const MAX_ERROR_RATE = 0.2;

/**
 * Finds variables that are probably misspelled settings: all variables of `.env` that are not settings, and variables
 * of the environment whose names resemble a setting.
 *
 * @param settings the names of all settings
 * @param fileNames the names of the variables in `.env`
 * @param env the variables of the process
 * @returns one sentence for each such variable
 */
export function findMisspelledSettings(settings: ReadonlySet<string>, fileNames: string[], env: Variables): string[] {
  const isUnknown = (name: string): boolean => !settings.has(name) && !FOREIGN_VARIABLES.test(name);
  const inFile = fileNames.filter(isUnknown).map((name) => {
    const meant = closestSetting(name, settings);
    return `${name} in .env is not a setting of this program${meant ? `: did you mean ${meant}?` : '.'}`;
  });
  const inEnvironment = Object.keys(env)
    .filter((name) => isUnknown(name) && !fileNames.includes(name))
    .flatMap((name) => {
      const meant = closestSetting(name, settings);
      return meant ? [`${name} in the environment is not a setting of this program: did you mean ${meant}?`] : [];
    });
  return [...inFile, ...inEnvironment];
}

function closestSetting(name: string, settings: ReadonlySet<string>): string | undefined {
  const [best] = Array.from(settings, (setting) => ({ setting, errors: distance(name.toUpperCase(), setting) })).sort(
    (one, other) => one.errors - other.errors,
  );
  return best && best.errors <= best.setting.length * MAX_ERROR_RATE ? best.setting : undefined;
}

import { distance } from 'fastest-levenshtein';
import type { Environment } from './environment.js';

/** Variables that are read by others than `readConfig`: by docker-compose.yml, by the drivers of PostgreSQL and HTTP, and by Node. */
const ELSEWHERE = /^(?:POSTGRES_PASSWORD|PG[A-Z]+|TZ|(?:HTTPS?|NO)_PROXY|https?_proxy|no_proxy)$/;

/** The share of a name's letters that may be wrong for it to look like a setting: one of five. */
const ALIKE = 0.2;

/**
 * One sentence for each variable that somebody probably meant as a setting: all of `fileNames` that are none, and those of the
 * environment that look like one.
 *
 * @param settings the names of all settings
 * @param fileNames the variables of the file of settings
 */
export function warnOfMisspelled(settings: ReadonlySet<string>, fileNames: string[], env: Environment): string[] {
  const isUnknown = (name: string): boolean => !settings.has(name) && !ELSEWHERE.test(name);
  const inFile = fileNames.filter(isUnknown).map((name) => {
    const meant = mostAlike(name, settings);
    return `${name} in .env is not a setting of this program${meant ? `: did you mean ${meant}?` : '.'}`;
  });
  const inEnvironment = Object.keys(env)
    .filter((name) => isUnknown(name) && !fileNames.includes(name))
    .flatMap((name) => {
      const meant = mostAlike(name, settings);
      return meant ? [`${name} in the environment is not a setting of this program: did you mean ${meant}?`] : [];
    });
  return [...inFile, ...inEnvironment];
}

function mostAlike(name: string, settings: ReadonlySet<string>): string | undefined {
  const [best] = Array.from(settings, (setting) => ({ setting, errors: distance(name.toUpperCase(), setting) })).sort(
    (one, other) => one.errors - other.errors,
  );
  return best && best.errors <= best.setting.length * ALIKE ? best.setting : undefined;
}

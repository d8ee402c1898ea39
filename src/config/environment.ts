/** The variables of the environment, by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting has a value that the program cannot run with. `message` is one sentence that names it. */
export class ConfigError extends Error {}

/**
 * The same variables, without white space around their values: it comes with files and copied secrets, and is never meant.
 *
 * @param names takes the name of each variable that is asked for
 */
export function trimmed(env: Environment, names = new Set<string>()): Environment {
  return new Proxy(env, {
    get: (variables, name) => {
      if (typeof name !== 'string') return undefined;
      names.add(name);
      return variables[name]?.trim();
    },
  });
}

/** A setting has a value that the program cannot run with. `message` is one sentence that names the setting. */
export class ConfigError extends Error {}

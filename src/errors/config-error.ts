/** A setting has an invalid value. `message` is one sentence that names the setting. */
export class ConfigError extends Error {}

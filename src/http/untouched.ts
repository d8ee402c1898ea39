/**
 * Carries an object past class-transformer, which would copy it, drop some keys of it (`constructor`) and stumble over others. What a
 * client keeps in metadata is data.
 */
export class Untouched {
  readonly #value: unknown;

  private constructor(value: unknown) {
    this.#value = value;
  }

  static wrap(value: unknown): unknown {
    return typeof value === 'object' && value !== null ? new Untouched(value) : value;
  }

  static unwrap(value: unknown): unknown {
    return value instanceof Untouched ? value.#value : value;
  }
}

import type { Type } from '@nestjs/common';

/**
 * Providers that are looked up by name. A decorator gives each class its name, and a module provides the classes. The
 * names are known as soon as the classes are imported, before Nest creates any instance.
 */
export class NamedProviders<T extends object, Options = void> {
  private readonly classes = new Map<string, { type: Type<T>; options: Options }>();

  /** The names in alphabetical order. Later registrations are added to the same array. */
  readonly names: string[] = [];

  /** @param decorator the name of the decorator, for error messages */
  constructor(private readonly decorator: string) {}

  /**
   * Registers a class under a name.
   * @throws Error when another class has that name
   */
  register(name: string, type: Type<T>, options: Options): void {
    const other = this.classes.get(name);
    if (other) throw new Error(`${this.decorator}('${name}') is on both ${other.type.name} and ${type.name}`);
    this.classes.set(name, { type, options });
    this.names.push(name);
    this.names.sort();
  }

  /** @returns the name and the decorator's options of each class */
  definitions(): ({ name: string } & Options)[] {
    return this.names.map((name) => ({ name, ...this.classes.get(name)!.options }));
  }

  /**
   * @returns the instances, by the names of their classes
   * @throws Error when the class of an instance has no name, or when a registered class has no instance
   */
  index<Instance extends T>(instances: readonly Instance[]): ReadonlyMap<string, Instance> {
    const found = new Map<string, Instance>();
    for (const instance of instances) found.set(this.nameOf(instance), instance);
    const missing = this.names.filter((name) => !found.has(name));
    if (missing.length > 0) {
      const classNames = missing.map((name) => this.classes.get(name)!.type.name);
      throw new Error(`No module provides ${classNames.join(', ')} (${this.decorator})`);
    }
    return found;
  }

  private nameOf(instance: T): string {
    const name = this.names.find((one) => this.classes.get(one)!.type === instance.constructor);
    if (name === undefined) throw new Error(`${instance.constructor.name} has no ${this.decorator}`);
    return name;
  }
}

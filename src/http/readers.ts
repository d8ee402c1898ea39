import 'reflect-metadata';
import type { Type } from '@nestjs/common';

/** Reads a value as it came in a body; undefined means that it is not given. */
export type Reader = (value: unknown) => unknown;

const READERS = Symbol('readers');

/** On a property of a DTO: bodies may give it. */
export function Permit(): PropertyDecorator {
  return (target, property) => {
    if (!readersOf(target.constructor).has(property as string)) Read((value) => value)(target, property);
  };
}

/**
 * On a property of a DTO: bodies may give it, and `read` turns what they give into its value before its rules are
 * checked. Several readers of one property work one after the other, in the order in which the decorators are applied.
 */
export function Read(read: Reader): PropertyDecorator {
  return (target, property) => {
    const readers = new Map(readersOf(target.constructor));
    const before = readers.get(property as string);
    readers.set(property as string, before ? (value) => read(before(value)) : read);
    Reflect.defineMetadata(READERS, readers, target.constructor);
  };
}

/** The readers of a DTO by property; a key that is not among them is not permitted. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a decorator is handed the constructor as a Function
export function readersOf(dto: Type<object> | Function): ReadonlyMap<string, Reader> {
  return (Reflect.getMetadata(READERS, dto) as Map<string, Reader> | undefined) ?? new Map();
}

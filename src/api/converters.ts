import 'reflect-metadata';
import type { Type } from '@nestjs/common';

/**
 * Converts a value of a body to the value of a DTO property. It returns undefined for a value that counts as absent.
 */
export type Converter = (value: unknown) => unknown;

const CONVERTERS = Symbol('readers');

/** Permits a property of a DTO in bodies. */
export function Permit(): PropertyDecorator {
  return (target, property) => {
    if (!convertersOf(target.constructor).has(property as string)) Convert((value) => value)(target, property);
  };
}

/**
 * Permits a property of a DTO in bodies, and converts its value with `read` before the rules are checked. Several
 * readers of one property run one after the other, in the order in which the decorators are applied.
 */
export function Convert(read: Converter): PropertyDecorator {
  return (target, property) => {
    const readers = new Map(convertersOf(target.constructor));
    const before = readers.get(property as string);
    readers.set(property as string, before ? (value) => read(before(value)) : read);
    Reflect.defineMetadata(CONVERTERS, readers, target.constructor);
  };
}

/** @returns the readers of a DTO, by property; no other key is permitted in its bodies */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a decorator is handed the constructor as a Function
export function convertersOf(dto: Type<object> | Function): ReadonlyMap<string, Converter> {
  return (Reflect.getMetadata(CONVERTERS, dto) as Map<string, Converter> | undefined) ?? new Map();
}

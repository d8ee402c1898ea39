import 'reflect-metadata';
import type { Type } from '@nestjs/common';

/** Converts a value of a body to the value of a DTO property. Returns undefined for a value that counts as absent. */
export type Converter = (value: unknown) => unknown;

const CONVERTERS = Symbol('converters');

/** Permits a property of a DTO in bodies. */
export function Permit(): PropertyDecorator {
  return (target, property) => {
    if (!convertersOf(target.constructor).has(property as string)) Convert((value) => value)(target, property);
  };
}

/**
 * Permits a property of a DTO in bodies, and converts its value with `convert` before the rules are checked. Several
 * converters of one property run in the order in which the decorators are applied.
 */
export function Convert(convert: Converter): PropertyDecorator {
  return (target, property) => {
    const converters = new Map(convertersOf(target.constructor));
    const previous = converters.get(property as string);
    converters.set(property as string, previous ? (value) => convert(previous(value)) : convert);
    Reflect.defineMetadata(CONVERTERS, converters, target.constructor);
  };
}

/** @returns the converters of a DTO, by property; bodies may have no other key */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- decorators get the constructor as a Function
export function convertersOf(dto: Type<object> | Function): ReadonlyMap<string, Converter> {
  return (Reflect.getMetadata(CONVERTERS, dto) as Map<string, Converter> | undefined) ?? new Map();
}

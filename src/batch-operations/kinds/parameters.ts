import { FilterError, conditionOf } from '../../filters/filter.js';
import { type FieldErrors, messages } from '../../http/errors.js';
import { type Metadata, isJsonObject } from '../../metadata/metadata.js';
import type { Resource } from '../../resources/resource.js';

/** An error for each parameter that is not among `permitted`: a mistyped one must not be ignored. */
export function unknownParameters(parameters: Metadata, permitted: readonly string[]): FieldErrors {
  const unknown = Object.keys(parameters).filter((name) => !permitted.includes(name));
  return Object.fromEntries(unknown.map((name) => [name, [messages.notPermitted]]));
}

/** An error if the filters of `resource` that stand in the parameter `name` cannot be read. */
export function filterErrors(parameters: Metadata, name: string, resource: Resource): FieldErrors {
  const given = parameters[name];
  if (given === undefined) return {};
  if (!isJsonObject(given)) return { [name]: [messages.mustBeObject] };
  try {
    conditionOf(resource.filters, given);
    return {};
  } catch (error) {
    if (error instanceof FilterError) return { [name]: [error.message] };
    throw error;
  }
}

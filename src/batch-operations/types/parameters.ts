import { FilterError, conditionOf } from '../../api/filters/filter.js';
import { type FieldErrors, messages } from '../../errors/errors.js';
import { booleanOf, withoutBlanks } from '../../metadata/client-values.js';
import { type Metadata, isJsonObject } from '../../metadata/metadata.js';
import { readRemoteRequestParams } from '../../phone-calls/remote-request-params.js';
import type { Resource } from '../../api/resources/resource.js';

/** An error for each parameter that is not among `permitted`: a mistyped one must not be ignored. */
export function unknownParameters(parameters: Metadata, permitted: readonly string[]): FieldErrors {
  const unknown = Object.keys(parameters).filter((name) => !permitted.includes(name));
  return Object.fromEntries(unknown.map((name) => [name, [messages.notPermitted]]));
}

/**
 * The parameters that a client gives, without those that are blank; likewise the provider's parameters within them.
 * What filters hold stays: there a blank is a value to look for.
 */
export function readParameters(given: unknown): unknown {
  if (!isJsonObject(given)) return given;
  const { remote_request_params: params, ...others } = given;
  return withoutBlanks({ ...others, remote_request_params: readRemoteRequestParams(params) });
}

/** An error for each of the parameters `names` that is given and is neither true nor false. */
export function booleanErrors(parameters: Metadata, ...names: string[]): FieldErrors {
  const broken = names.filter((name) => parameters[name] !== undefined && booleanOf(parameters[name]) === undefined);
  return Object.fromEntries(broken.map((name) => [name, [messages.mustBeBoolean]]));
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

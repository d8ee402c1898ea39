import { FilterError, conditionOf } from '../../api/filters/filter.js';
import { type FieldErrors, messages } from '../../errors/errors.js';
import { booleanOf, withoutBlanks } from '../../metadata/client-values.js';
import { type Metadata, isJsonObject } from '../../metadata/metadata.js';
import { readRemoteRequestParams } from '../../phone-calls/remote-request-params.js';
import type { Resource } from '../../api/resources/resource.js';

/** @returns an error for each parameter that is not in `permitted`, because a mistyped one must not be ignored */
export function unknownParameters(parameters: Metadata, permitted: readonly string[]): FieldErrors {
  const unknown = Object.keys(parameters).filter((name) => !permitted.includes(name));
  return Object.fromEntries(unknown.map((name) => [name, [messages.notPermitted]]));
}

/**
 * Reads the parameters that a client sends. Blank parameters are dropped, also among `remote_request_params`. Blank
 * values inside filters are kept, because a filter can match them.
 */
export function readParameters(given: unknown): unknown {
  if (!isJsonObject(given)) return given;
  const { remote_request_params: params, ...others } = given;
  return withoutBlanks({ ...others, remote_request_params: readRemoteRequestParams(params) });
}

/** @returns an error for each parameter in `names` that is present and not a boolean */
export function booleanErrors(parameters: Metadata, ...names: string[]): FieldErrors {
  const broken = names.filter((name) => parameters[name] !== undefined && booleanOf(parameters[name]) === undefined);
  return Object.fromEntries(broken.map((name) => [name, [messages.mustBeBoolean]]));
}

/** @returns an error if the parameter `name` is present and holds no valid filters of `resource` */
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

import type { FieldErrors } from '../../errors/errors.js';
import { INCLUDE_DO_NOT_CALL } from '../../contacts/opted-out.js';
import { contactResource } from '../../contacts/contact.resource.js';
import type { Metadata } from '../../metadata/metadata.js';
import { booleanErrors, filterErrors, unknownParameters } from './parameters.js';

/** The name of the type in the API. */
export const CALLOUT_POPULATION = 'BatchOperation::CalloutPopulation';

/** The parameter with the filters of the contacts. */
export const CONTACT_FILTERS = 'contact_filter_params';

/**
 * Validates the parameters of a callout population.
 * @param flags the names of further parameters, which are booleans
 * @returns the errors, by parameter
 */
export function populationErrors(parameters: Metadata, flags: readonly string[] = []): FieldErrors {
  return {
    ...unknownParameters(parameters, [CONTACT_FILTERS, INCLUDE_DO_NOT_CALL, ...flags]),
    ...filterErrors(parameters, CONTACT_FILTERS, contactResource),
    ...booleanErrors(parameters, INCLUDE_DO_NOT_CALL, ...flags),
  };
}

import { applyDecorators } from '@nestjs/common';
import { Convert } from '../api/converters.js';
import { Nullable, Rule, jsonObjectError } from '../api/rules.js';
import { populationErrors } from '../batch-operations/types/population-parameters.js';
import { joinMessages } from '../errors/errors.js';
import { booleanOf, withoutBlanks } from '../metadata/client-values.js';
import { type Metadata, isJsonObject } from '../metadata/metadata.js';

/** The key that says whether the population is repeated while the callout runs. */
export const KEEP_ADDING = 'keep_adding';

/** The audience of a callout: the parameters of a population, and whether it is repeated. Blank keys are dropped. */
export function IsAudience(): PropertyDecorator {
  return applyDecorators(
    Nullable(),
    Convert((value) => (isJsonObject(value) ? withoutBlanks(value) : value)),
    Rule('isAudience', (value) => jsonObjectError(value) ?? joinMessages(audienceErrors(value as Metadata))),
  ) as PropertyDecorator;
}

/** @returns a message for each invalid key, with its name */
function audienceErrors(audience: Metadata): string[] {
  const errors = Object.entries(populationErrors(audience, [KEEP_ADDING]));
  return errors.map(([key, found]) => `${key} ${found.join(', ')}`);
}

/** @returns whether the population of the audience is repeated while the callout runs */
export function keepsAdding(audience: Metadata): boolean {
  return booleanOf(audience[KEEP_ADDING]) === true;
}

/** @returns the parameters of the population that adds the audience */
export function populationParametersOf(audience: Metadata): Metadata {
  return Object.fromEntries(Object.entries(audience).filter(([key]) => key !== KEEP_ADDING));
}

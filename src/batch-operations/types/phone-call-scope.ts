import sql, { type Sql } from 'sql-template-tag';
import { calloutParticipationResource } from '../../callout-participations/callout-participation.resource.js';
import { calloutResource } from '../../callouts/callout.resource.js';
import { and, conditionOf } from '../../api/filters/filter.js';
import type { FieldErrors } from '../../errors/errors.js';
import { booleanOf } from '../../metadata/client-values.js';
import type { Metadata } from '../../metadata/metadata.js';
import { INCLUDE_DO_NOT_CALL } from '../../contacts/opted-out.js';
import { phoneCallResource } from '../../phone-calls/phone-call.resource.js';
import type { Scope } from './batch-operation-type.js';
import { limitErrors, limitParameters } from './limits.js';
import { booleanErrors, filterErrors, unknownParameters } from './parameters.js';

const SKIP_PREVIEW = 'skip_validate_preview_presence';
const CALLOUTS = 'callout_filter_params';
const PARTICIPATIONS = 'callout_participation_filter_params';
const CALLS = 'phone_call_filter_params';

/**
 * Returns the errors of the parameters of an operation on phone calls.
 * @param more the names of the parameters that only its type has
 */
export function phoneCallParameterErrors(parameters: Metadata, more: readonly string[] = [CALLS]): FieldErrors {
  return {
    ...unknownParameters(parameters, [
      CALLOUTS,
      PARTICIPATIONS,
      SKIP_PREVIEW,
      INCLUDE_DO_NOT_CALL,
      ...limitParameters,
      ...more,
    ]),
    ...filterErrors(parameters, CALLOUTS, calloutResource),
    ...filterErrors(parameters, PARTICIPATIONS, calloutParticipationResource),
    ...(more.includes(CALLS) && filterErrors(parameters, CALLS, phoneCallResource)),
    ...booleanErrors(parameters, SKIP_PREVIEW, INCLUDE_DO_NOT_CALL),
    ...limitErrors(parameters),
  };
}

/** The condition of the participations that match an operation's filters, within its callout if it has one. */
export function participationsInScope(scope: Scope): Sql {
  return and([
    ...inCallouts(sql`callout_participations.callout_id`, scope),
    conditionOf(calloutParticipationResource.filters, scope.parameters[PARTICIPATIONS]),
  ]);
}

/** The condition of the phone calls that match an operation's filters, within its callout if it has one. */
export function phoneCallsInScope(scope: Scope): Sql {
  const { parameters } = scope;
  const participations = parameters[PARTICIPATIONS];
  const { filters } = calloutParticipationResource;
  return and([
    ...inCallouts(sql`phone_calls.callout_id`, scope),
    ...(participations === undefined
      ? []
      : [
          sql`phone_calls.callout_participation_id IN (
            SELECT callout_participations.id FROM callout_participations
            WHERE ${conditionOf(filters, participations)})`,
        ]),
    conditionOf(phoneCallResource.filters, parameters[CALLS]),
  ]);
}

function inCallouts(column: Sql, { callout_id, parameters }: Scope): Sql[] {
  const given = parameters[CALLOUTS];
  const filtered = (): Sql =>
    sql`${column} IN (SELECT callouts.id FROM callouts WHERE ${conditionOf(calloutResource.filters, given)})`;
  return [
    ...(callout_id === null ? [] : [sql`${column} = ${callout_id}`]),
    ...(given === undefined ? [] : [filtered()]),
  ];
}

/** Whether an operation may be created even if its preview is empty. */
export function skipsPreview(parameters: Metadata): boolean {
  return booleanOf(parameters[SKIP_PREVIEW]) === true;
}

import sql from 'sql-template-tag';
import {
  booleanFilter,
  choiceFilter,
  countFilter,
  idFilter,
  msisdnFilter,
  textFilter,
} from '../api/filters/attribute-filters.js';
import { or } from '../api/filters/filter.js';
import { jsonFilter } from '../api/filters/json-filter.js';
import { timeFilters } from '../api/filters/time-filter.js';
import { defineResource } from '../api/resources/define-resource.js';
import { outcomes, waitingReasons } from '../outcomes/outcome-names.js';
import { now } from '../database/dialect.js';
import { phoneCallStatuses } from '../phone-calls/phone-call.machine.js';
import { UpdateCalloutParticipationDto } from './callout-participation.dto.js';
import { CalloutParticipation } from './callout-participation.entity.js';
import { contactValueFilter } from './contact-values.js';

/** The call flow of the participation, or else its callout's. */
const callFlowLogic = sql`coalesce(callout_participations.call_flow_logic,
  (SELECT owner.call_flow_logic FROM callouts AS owner WHERE owner.id = callout_participations.callout_id))`;

/**
 * Why the person waits. The gate stores a reason with the time until which it holds (dialing/dial-gate.ts). Whoever is
 * due in a callout with a plan waits for their turn.
 */
const waitingFor = sql`CASE
  WHEN callout_participations.next_call_at > ${now} THEN callout_participations.waiting_for
  WHEN callout_participations.outcome IN ('waiting', 'retrying') AND (
    SELECT owner.dial_plan FROM callouts AS owner WHERE owner.id = callout_participations.callout_id
  ) IS NOT NULL THEN 'turn' END`;

const calls = sql`FROM phone_calls AS attempt WHERE attempt.callout_participation_id = callout_participations.id`;
const hasPhoneCalls = sql`EXISTS (SELECT 1 ${calls})`;
/** The status of the latest phone call; null if there is none. */
const lastAttempt = sql`(SELECT attempt.status ${calls} ORDER BY attempt.id DESC LIMIT 1)`;
const lastAttemptFilter = choiceFilter(phoneCallStatuses);

export const calloutParticipationResource = defineResource({
  entity: CalloutParticipation,
  update: UpdateCalloutParticipationDto,
  attributes: {
    id: {},
    callout_id: { filter: idFilter },
    contact_id: { filter: idFilter },
    callout_population_id: { filter: idFilter },
    msisdn: { filter: msisdnFilter },
    call_flow_logic: { column: callFlowLogic, filter: textFilter('CallFlowLogic::Application') },
    metadata: { filter: jsonFilter },
    created_at: { filter: timeFilters },
    updated_at: { filter: timeFilters },
    outcome: { filter: choiceFilter(outcomes) },
    attempts: { filter: countFilter },
    waiting_for: { column: waitingFor, filter: choiceFilter(waitingReasons) },
    next_call_at: { filter: timeFilters },
    last_call_at: { filter: timeFilters },
  },
  filters: {
    contact_metadata: { column: sql`contacts.metadata`, filter: contactValueFilter },
    has_phone_calls: { column: hasPhoneCalls, filter: booleanFilter },
    last_phone_call_attempt: { column: lastAttempt, filter: lastAttemptFilter },
    no_phone_calls_or_last_attempt: {
      column: lastAttempt,
      filter: or(sql`NOT ${hasPhoneCalls}`, lastAttemptFilter),
    },
  },
});

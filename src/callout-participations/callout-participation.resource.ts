import sql from 'sql-template-tag';
import { choiceFilter, idFilter, msisdnFilter, textFilter, yesOrNoFilter } from '../api/filters/attribute-filters.js';
import { or } from '../api/filters/filter.js';
import { phoneCallStatuses } from '../phone-calls/phone-call.machine.js';
import { commonFilters, metadataOf, timesOf } from '../api/resources/record.js';
import type { Resource } from '../api/resources/resource.js';

/** What is shown is what is filtered by: a participation without a call flow of its own has its callout's. */
const callFlowLogic = sql`coalesce(callout_participations.call_flow_logic,
  (SELECT owner.call_flow_logic FROM callouts AS owner WHERE owner.id = callout_participations.callout_id))`;

const attempts = sql`FROM phone_calls AS attempt WHERE attempt.callout_participation_id = callout_participations.id`;
const hasPhoneCalls = sql`EXISTS (SELECT 1 ${attempts})`;
/** The status of the newest phone call; null when there is none. */
const lastAttempt = sql`(SELECT attempt.status ${attempts} ORDER BY attempt.id DESC LIMIT 1)`;

export const calloutParticipationResource: Resource = {
  name: 'callout_participations',
  columns: sql`callout_participations.id, callout_participations.callout_id, callout_participations.contact_id,
    callout_participations.callout_population_id, callout_participations.msisdn, ${callFlowLogic} AS call_flow_logic,
    callout_participations.metadata, callout_participations.created_at, callout_participations.updated_at`,
  filters: {
    msisdn: msisdnFilter('callout_participations.msisdn'),
    callout_id: idFilter('callout_participations.callout_id'),
    contact_id: idFilter('callout_participations.contact_id'),
    callout_population_id: idFilter('callout_participations.callout_population_id', { nullable: true }),
    call_flow_logic: textFilter(callFlowLogic, 'CallFlowLogic::Application'),
    has_phone_calls: yesOrNoFilter((yes) => (yes ? hasPhoneCalls : sql`NOT ${hasPhoneCalls}`)),
    last_phone_call_attempt: choiceFilter(lastAttempt, phoneCallStatuses),
    no_phone_calls_or_last_attempt: or(sql`NOT ${hasPhoneCalls}`, choiceFilter(lastAttempt, phoneCallStatuses)),
    ...commonFilters('callout_participations'),
  },
  present: (row) => ({
    id: row.id,
    callout_id: row.callout_id,
    contact_id: row.contact_id,
    callout_population_id: row.callout_population_id,
    msisdn: row.msisdn,
    call_flow_logic: row.call_flow_logic,
    ...metadataOf(row),
    ...timesOf(row),
  }),
};

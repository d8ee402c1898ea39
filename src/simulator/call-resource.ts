import type { DateTime } from 'luxon';

/** The properties of a call that Twilio's Call resource shows. */
export interface CallProperties {
  sid: string;
  accountSid: string;
  to: string;
  from: string;
  direction: string;
  status: string;
  createdAt: DateTime;
  updatedAt: DateTime;
  /** When the call was dialed. */
  startTime?: DateTime;
  /** When the call ended, if it was answered. */
  endTime?: DateTime;
  /** From answer to end (s). */
  duration: number;
  answeredBy?: string;
  /** Seconds. */
  queueTime: number;
}

const SUBRESOURCES = ['events', 'notifications', 'payments', 'recordings', 'siprec', 'streams', 'transcriptions'];

/** Returns a call as Twilio's Call resource. Source: Twilio's OpenAPI document, `api.v2010.account.call`. */
export function toCallResource(call: CallProperties): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${call.accountSid}/Calls/${call.sid}`;
  return {
    sid: call.sid,
    date_created: call.createdAt.toRFC2822(),
    date_updated: call.updatedAt.toRFC2822(),
    parent_call_sid: null,
    account_sid: call.accountSid,
    to: call.to,
    to_formatted: call.to,
    from: call.from,
    from_formatted: call.from,
    phone_number_sid: null,
    status: call.status,
    start_time: call.startTime?.toRFC2822() ?? null,
    end_time: call.endTime?.toRFC2822() ?? null,
    duration: call.endTime ? String(call.duration) : null,
    price: null,
    price_unit: 'USD',
    direction: call.direction,
    answered_by: call.answeredBy ?? null,
    api_version: '2010-04-01',
    forwarded_from: null,
    group_sid: null,
    caller_name: null,
    queue_time: String(Math.round(call.queueTime * 1_000)),
    trunk_sid: null,
    uri: `${uri}.json`,
    subresource_uris: Object.fromEntries(
      SUBRESOURCES.map((name) => [name, `${uri}/${name[0]!.toUpperCase()}${name.slice(1)}.json`]),
    ),
  };
}

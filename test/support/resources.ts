/** The tables that the API has lists of, by the names of both. */
export const RESOURCES = [
  'contacts',
  'callouts',
  'callout_participations',
  'batch_operations',
  'phone_calls',
  'remote_phone_call_events',
];

/** The tables that the API lists. Each is listed at `/api/<table>`. */
export const RESOURCES = [
  'contacts',
  'callouts',
  'callout_participations',
  'batch_operations',
  'phone_calls',
  'remote_phone_call_events',
];

/** How a call is to end: `canceled` before it is answered, or `completed` even then. */
export type EndStatus = 'canceled' | 'completed';

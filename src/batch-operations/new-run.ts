/** The columns of a batch operation that runs from the beginning. */
export const newRun = {
  cursor: 0,
  processed: 0,
  total: null,
  error: null,
  attempts: 0,
  lease_token: null,
  leased_until: null,
};

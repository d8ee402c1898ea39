/** Calls cannot be reconciled now. `message` is one sentence that says why. */
export class ReconcileError extends Error {}

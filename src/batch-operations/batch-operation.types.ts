/** The kinds of batch operation that there are; each has one file in `kinds/`. */
export const batchOperationTypes = [
  'BatchOperation::CalloutPopulation',
  'BatchOperation::PhoneCallCreate',
  'BatchOperation::PhoneCallQueue',
  'BatchOperation::PhoneCallQueueRemoteFetch',
] as const;
export type BatchOperationType = (typeof batchOperationTypes)[number];

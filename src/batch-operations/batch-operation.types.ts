/** The kinds of batch operation that there are; each has one file in `kinds/`. */
export const batchOperationTypes = ['BatchOperation::CalloutPopulation'] as const;
export type BatchOperationType = (typeof batchOperationTypes)[number];

import { NamedProviders } from '../../registry/named-providers.js';

/** The classes of batch operation types, by their names in the API. `@BatchOperationTypeName` adds a class. */
export const batchOperationTypes = new NamedProviders<object>('@BatchOperationTypeName');

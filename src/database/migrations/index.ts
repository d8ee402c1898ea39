import { CreateContactsAndCallouts1764000000000 } from './1764000000000-create-contacts-and-callouts.js';

/** Every migration, oldest first: one list for both databases. */
export const migrations = [CreateContactsAndCallouts1764000000000];

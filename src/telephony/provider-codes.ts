// What the provider's error codes are about. Source: https://www.twilio.com/docs/api/errors

/**
 * Codes about the account as a whole: credentials (20003), an account that is not active (10001, 20005), too many calls at once (10004), a
 * full queue (22005).
 */
const ACCOUNT = new Set(['10001', '10004', '20003', '20005', '22005']);

/**
 * Codes about a setting of the callout or the account: the address of our call flow (21205) and its method (21209),
 * what is said (21632), the number that calls are made from (21210, 21212, 21213, 21606), the address of callbacks
 * (21609) and their events (21626), countries that the account may not call (13227, 21215, 21216), a trial account that
 * may only call verified numbers (21219), an application that does not exist (21218).
 */
const SETTING = new Set([
  '13227',
  '21205',
  '21209',
  '21210',
  '21212',
  '21213',
  '21215',
  '21216',
  '21218',
  '21219',
  '21606',
  '21609',
  '21626',
  '21632',
]);

/**
 * Codes about the number that was called: missing (21201), premium (21202), not valid (13223, 13224, 21211, 21214,
 * 21217), forbidden (13225).
 */
const PERSON = new Set(['13223', '13224', '13225', '21201', '21202', '21211', '21214', '21217']);

/** Whether no call at all can be placed by this account now. */
export const isAboutAccount = (code: string): boolean => ACCOUNT.has(code);

/** Whether every call with the same settings would be refused. */
export const isAboutSetting = (code: string): boolean => SETTING.has(code);

/** Whether only calls to this number are refused. */
export const isAboutPerson = (code: string): boolean => PERSON.has(code);

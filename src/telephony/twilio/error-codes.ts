// Twilio's error codes by cause. Source: https://www.twilio.com/docs/api/errors

/**
 * The whole account: wrong credentials (20003), not active (10001, 20005), too many concurrent calls (10004), a full
 * queue (22005).
 */
const ACCOUNT_CODES = new Set(['10001', '10004', '20003', '20005', '22005']);

/**
 * A setting of the callout or the account: the URL of the call flow (21205) and its method (21209), the TwiML (21632),
 * the number to call from (21210, 21212, 21213, 21606), the callback URL (21609) and its events (21626), countries that
 * the account may not call (13227, 21215, 21216), a trial account that may only call verified numbers (21219), an
 * application that does not exist (21218).
 */
const SETTING_CODES = new Set([
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
 * The number to call: missing (21201), premium (21202), invalid (13223, 13224, 21211, 21214, 21217), blocked (13225).
 */
const NUMBER_CODES = new Set(['13223', '13224', '13225', '21201', '21202', '21211', '21214', '21217']);

/**
 * The state of the call: it is over (21220). Somleng uses the same code. Source:
 * https://www.twilio.com/docs/api/errors/21220
 */
const CALL_OVER_CODE = '21220';

/** Whether the account cannot place any call now. */
export const isAccountError = (code: string): boolean => ACCOUNT_CODES.has(code);

/** Whether every call with the same settings would be refused. */
export const isSettingError = (code: string): boolean => SETTING_CODES.has(code);

/** Whether the call cannot be changed, because it is over. */
export const isCallOverError = (code: string): boolean => code === CALL_OVER_CODE;

/** Whether only calls to the same number would be refused. */
export const isNumberError = (code: string): boolean => NUMBER_CODES.has(code);

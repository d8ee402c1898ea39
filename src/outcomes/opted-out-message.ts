/** Why a call was canceled whose person opted out. The outcome of the participation is recognized by it. */
export const OPTED_OUT_MESSAGE = 'The person has asked for no more calls: nobody was called.';

import { describe, expect, it } from 'vitest';
import {
  readRemoteRequestParams,
  remoteRequestParamsError,
  sendableParams,
} from '../src/phone-calls/remote-request-params.js';

describe('the request parameters of a call', () => {
  it.each([
    ['initiated ringing answered completed', ['initiated', 'ringing', 'answered', 'completed']],
    ['initiated,ringing', ['initiated', 'ringing']],
    [' initiated , ringing ', ['initiated', 'ringing']],
    [
      ['initiated ringing', 'answered', ''],
      ['initiated', 'ringing', 'answered'],
    ],
    ['completed', ['completed']],
  ])('are sent with each event of %j as a separate value', (events, expected) => {
    expect(sendableParams({ status_callback_event: events })).toEqual({ status_callback_event: expected });
  });

  it('are sent with each event of a recording as a separate value, too', () => {
    const given = { recording_status_callback_event: 'in-progress completed,absent' };
    const expected = { recording_status_callback_event: ['in-progress', 'completed', 'absent'] };
    expect(sendableParams(given)).toEqual(expected);
  });

  it.each(['', ' ', ' , ', null, [], [''], undefined])('are sent without events that are %j', (events) => {
    expect(sendableParams({ from: '2442', status_callback_event: events })).toEqual({ from: '2442' });
  });

  it.each(['from', 'url', 'method', 'twiml', 'application_sid', 'status_callback', 'timeout', 'machine_detection'])(
    'are read and sent without a blank %s',
    (key) => {
      for (const blank of ['', ' ', null, []]) {
        expect(readRemoteRequestParams({ record: true, [key]: blank })).toEqual({ record: true });
        expect(sendableParams({ record: true, [key]: blank })).toEqual({ record: true });
      }
    },
  );

  it.each([undefined, null, '', [], {}, { url: '' }, { status_callback_event: [''] }])(
    'are rejected if they are %j',
    (given) => {
      expect(remoteRequestParamsError(readRemoteRequestParams(given))).toBe("can't be blank");
    },
  );
});

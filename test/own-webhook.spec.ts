import { describe, expect, it } from 'vitest';
import { isWebhookUrl } from '../src/call-flows/own-webhook.js';

const addresses = ['https://warn.example/scfm', 'http://127.0.0.1:3000'];

describe('the URL of our webhook', () => {
  it.each([
    'https://warn.example/scfm/api/remote_phone_call_events',
    'https://warn.example/scfm/api/remote_phone_call_events/',
    'https://warn.example/scfm/api/remote_phone_call_events?phone_call_id=1&step=2',
    'https://warn.example/scfm/api/remote_phone_call_events/?a=b#c',
    'https://warn.example/scfm/api/remote_phone_call_events.xml',
    'https://warn.example/scfm/api/remote_phone_call_events.json/',
    'HTTPS://Warn.Example:443/scfm/api/remote_phone_call_events',
    'http://warn.example/scfm/api/remote_phone_call_events',
    'https://user:secret@warn.example/scfm/./api/remote_phone_call_events',
    ' https://warn.example/scfm/api/remote_phone_call_events ',
    'http://127.0.0.1:3000/api/remote_phone_call_events',
    'http://localhost:3000/api/remote_phone_call_events/',
    'http://[::1]:3000/api/remote_phone_call_events',
  ])('is %s', (url) => {
    expect(isWebhookUrl(url, addresses)).toBe(true);
  });

  it.each([
    '',
    'nonsense',
    '/api/remote_phone_call_events',
    'https://warn.example/api/remote_phone_call_events',
    'https://warn.example/scfm2/api/remote_phone_call_events',
    'https://warn.example:8443/scfm/api/remote_phone_call_events',
    'https://other.example/scfm/api/remote_phone_call_events',
    'https://other.example/?url=https://warn.example/scfm/api/remote_phone_call_events',
    'https://warn.example/scfm/api/remote_phone_call_events/1',
    'https://warn.example/scfm/api/remote_phone_call_events2',
    'http://127.0.0.1:3001/api/remote_phone_call_events',
    'data:text/xml,<Response/>',
  ])('is not %j', (url) => {
    expect(isWebhookUrl(url, addresses)).toBe(false);
  });
});

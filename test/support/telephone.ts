import type { Api, Body } from './api.js';
import { eventually } from './eventually.js';

/** What was heard and pressed in one call. */
export interface Talk {
  sid: string;
  /** All that was said, in its order. */
  said: string[];
  played: string[];
  /** The addresses of the questions, in their order. */
  asked: string[];
  fetched: string[];
  errors: string[];
}

/** A person calls in, and presses these keys at the questions in turn (`hangup` ends the call). Answers when the call is over. */
export async function callIn(exchange: Api, from: string, keys: string[], to = '2442'): Promise<Talk> {
  const { status, body, text } = await exchange.post('/simulator/inbound_calls', { from, to, keys, wait: true });
  if (status !== 201) throw new Error(`Nobody could call in: ${text}`);
  return talk(body.sid, body.transcript);
}

/** Says what a person does when they are called: the keys they press, whether a machine answers for them. */
export async function person(exchange: Api, msisdn: string, behaviour: object): Promise<void> {
  const given = { ending: 'answered', machine: false, hangsUpAtOnce: false, ...behaviour };
  await exchange.put(`/simulator/people/${encodeURIComponent(msisdn)}`, given);
}

/** Dials a participation, with more request parameters if given, and waits until the call is over. Answers it, and what was said. */
export async function dial(
  exchange: Api,
  participationId: number,
  params: object = {},
): Promise<{ call: Body; talk: Talk }> {
  const path = `/api/callout_participations/${participationId}/phone_calls`;
  const { body: made } = await exchange.post(path, { remote_request_params: { from: '2442', ...params } });
  await exchange.post(`/api/phone_calls/${made.id}/phone_call_events`, 'event=queue');
  const call = await eventually(async () => {
    const { body } = await exchange.get(`/api/phone_calls/${made.id}`);
    return ['completed', 'busy', 'failed', 'not_answered', 'errored'].includes(body.status) && body;
  });
  if (call.remote_call_id === null) return { call, talk: talk('', []) };
  const { body } = await exchange.get(`/simulator/calls/${call.remote_call_id}/transcript`);
  return { call, talk: talk(call.remote_call_id, body) };
}

function talk(sid: string, transcript: Body[]): Talk {
  const all = (what: string): string[] => transcript.filter((one) => what in one).map((one) => one[what]);
  return {
    sid,
    said: all('said'),
    played: all('played'),
    asked: all('asked'),
    fetched: all('fetched'),
    errors: all('error'),
  };
}

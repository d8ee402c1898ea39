import type { Api, Body } from './api.js';
import { eventually } from './eventually.js';

/** The transcript of one call. */
export interface Transcript {
  sid: string;
  /** All texts that were said, in order. */
  said: string[];
  played: string[];
  /** The action URLs of the questions, in order. */
  questions: string[];
  fetches: string[];
  errors: string[];
}

/**
 * Makes a person call in, who presses these keys at the questions in turn (`hangup` ends the call). Resolves when the
 * call is over.
 */
export async function callIn(api: Api, from: string, keys: string[], to = '2442'): Promise<Transcript> {
  const { status, body, text } = await api.post('/simulator/inbound_calls', { from, to, keys, wait: true });
  if (status !== 201) throw new Error(`Nobody could call in: ${text}`);
  return toTranscript(body.sid, body.transcript);
}

/** Sets what a person does when called: the keys they press, whether an answering machine answers. */
export async function setPersonBehavior(api: Api, msisdn: string, behavior: object): Promise<void> {
  const given = { ending: 'answered', machine: false, hangsUpAtOnce: false, ...behavior };
  await api.put(`/simulator/people/${encodeURIComponent(msisdn)}`, given);
}

/**
 * Dials a participation, and waits until the call is over.
 * @param params further request parameters
 */
export async function dialParticipation(
  api: Api,
  participationId: number,
  params: object = {},
): Promise<{ call: Body; talk: Transcript }> {
  const path = `/api/callout_participations/${participationId}/phone_calls`;
  const { body: made } = await api.post(path, { remote_request_params: { from: '2442', ...params } });
  await api.post(`/api/phone_calls/${made.id}/phone_call_events`, 'event=queue');
  const call = await eventually(async () => {
    const { body } = await api.get(`/api/phone_calls/${made.id}`);
    return ['completed', 'busy', 'failed', 'not_answered', 'errored'].includes(body.status) && body;
  });
  if (call.remote_call_id === null) return { call, talk: toTranscript('', []) };
  const { body } = await api.get(`/simulator/calls/${call.remote_call_id}/transcript`);
  return { call, talk: toTranscript(call.remote_call_id, body) };
}

function toTranscript(sid: string, transcript: Body[]): Transcript {
  const all = (what: string): string[] => transcript.filter((one) => what in one).map((one) => one[what]);
  return {
    sid,
    said: all('said'),
    played: all('played'),
    questions: all('asked'),
    fetches: all('fetched'),
    errors: all('error'),
  };
}

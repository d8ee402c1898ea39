import type { Api, Body } from './api.js';
import { eventually } from './eventually.js';

/** What happened during a call, by the simulator's transcript. */
export interface Transcript {
  sid: string;
  /** The texts that were said, in order. */
  said: string[];
  /** The URLs of the audio files that were played, in order. */
  played: string[];
  /** The action URLs of the questions, in order. */
  questions: string[];
  /** The URLs of the TwiML documents that were fetched, in order. */
  fetches: string[];
  errors: string[];
}

/**
 * Simulates an inbound call, and waits until it is over.
 *
 * @param keys what the caller presses at each question, in turn; `hangup` ends the call
 */
export async function callIn(api: Api, from: string, keys: string[], to = '2442'): Promise<Transcript> {
  const { status, body, text } = await api.post('/simulator/inbound_calls', { from, to, keys, wait: true });
  if (status !== 201) throw new Error(`The inbound call failed: ${text}`);
  return toTranscript(body.sid, body.transcript);
}

/**
 * Sets what a simulated person does when called.
 *
 * @param behavior such as the `keys` they press, or `machine` for an answering machine
 */
export async function setPersonBehavior(api: Api, msisdn: string, behavior: object): Promise<void> {
  const complete = { ending: 'answered', machine: false, hangsUpAtOnce: false, ...behavior };
  await api.put(`/simulator/people/${encodeURIComponent(msisdn)}`, complete);
}

/**
 * Creates and queues a call for a participation, and waits until it is over.
 *
 * @param params further `remote_request_params`
 */
export async function dialParticipation(
  api: Api,
  participationId: number,
  params: object = {},
): Promise<{ call: Body; talk: Transcript }> {
  const path = `/api/callout_participations/${participationId}/phone_calls`;
  const { body: created } = await api.post(path, { remote_request_params: { from: '2442', ...params } });
  await api.post(`/api/phone_calls/${created.id}/phone_call_events`, 'event=queue');
  const call = await eventually(async () => {
    const { body } = await api.get(`/api/phone_calls/${created.id}`);
    return ['completed', 'busy', 'failed', 'not_answered', 'errored'].includes(body.status) && body;
  });
  if (call.remote_call_id === null) return { call, talk: toTranscript('', []) };
  const { body } = await api.get(`/simulator/calls/${call.remote_call_id}/transcript`);
  return { call, talk: toTranscript(call.remote_call_id, body) };
}

function toTranscript(sid: string, transcript: Body[]): Transcript {
  const all = (key: string): string[] => transcript.filter((entry) => key in entry).map((entry) => entry[key]);
  return {
    sid,
    said: all('said'),
    played: all('played'),
    questions: all('asked'),
    fetches: all('fetched'),
    errors: all('error'),
  };
}

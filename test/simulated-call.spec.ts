import { describe, expect, it } from 'vitest';
import type { CallUpdate } from '../src/simulator/call-request.js';
import { SimulatedCall } from '../src/simulator/simulated-call.js';
import type { StatusCallback, WebhookSender } from '../src/simulator/webhook-sender.js';

/**
 * Runs a call, and ends it during one of its waits: 1 while it is queued, 2 between `initiated` and `ringing`, 3 while
 * it rings, 4 while it is answered.
 */
async function runAndEnd(wait: number, status: CallUpdate['status']) {
  const callbacks: (string | undefined)[] = [];
  const webhooks = {
    sendStatusCallback: ({ parameters }: StatusCallback) => callbacks.push(parameters.CallStatus),
  } as unknown as WebhookSender;
  let waits = 0;
  const call: SimulatedCall = new SimulatedCall(
    'AC1',
    {
      to: '+85510202101',
      from: '2442',
      direction: 'outbound-api',
      method: 'POST',
      twiml: '<Response><Say>Hello</Say><Say>Goodbye</Say></Response>',
      statusCallback: 'http://localhost',
      statusCallbackEvents: ['initiated', 'ringing', 'answered', 'completed'],
      detectsMachines: true,
    },
    { ending: 'answered', machine: false, ring: 5, keys: [], hangsUpAtOnce: false },
    0,
    webhooks,
    async () => {
      if (++waits === wait) call.end(status);
    },
  );
  await call.run();
  return { callbacks, resource: call.toResource(), said: call.transcript.map(({ said }) => said) };
}

describe('a call that the API ends', () => {
  const startTime = expect.any(String);

  it.each([
    [1, 'canceled', ['canceled'], { start_time: null }],
    [1, 'completed', ['canceled'], { start_time: null }],
    [2, 'canceled', ['initiated', 'canceled'], { start_time: null }],
    [2, 'completed', ['initiated', 'canceled'], { start_time: null }],
    [3, 'canceled', ['initiated', 'ringing', 'canceled'], { start_time: startTime }],
    [3, 'completed', ['initiated', 'ringing', 'canceled'], { start_time: startTime }],
  ] as const)('during wait %i with %s neither rings nor is answered later', async (wait, status, callbacks, times) => {
    const call = await runAndEnd(wait, status);
    expect(call.callbacks).toEqual(callbacks);
    expect(call.resource).toMatchObject({ status: 'canceled', answered_by: null, end_time: null, duration: null });
    expect(call.resource).toMatchObject(times);
    expect(call.said).toEqual([]);
  });

  it('is over after completed, with its conversation', async () => {
    const call = await runAndEnd(4, 'completed');
    expect(call.callbacks).toEqual(['initiated', 'ringing', 'in-progress', 'completed']);
    expect(call.resource).toMatchObject({ status: 'completed', answered_by: 'human', end_time: expect.any(String) });
    expect(call.said).toEqual(['Hello']);
  });

  it('goes on after canceled, if it was answered', async () => {
    const call = await runAndEnd(4, 'canceled');
    expect(call.callbacks).toEqual(['initiated', 'ringing', 'in-progress', 'completed']);
    expect(call.said).toEqual(['Hello', 'Goodbye']);
  });
});

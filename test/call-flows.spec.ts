import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallFlow, CallFlowStep } from '../src/call-flows/call-flow.js';
import { readRegistrationScript } from '../src/call-flows/registration-script.js';
import { readTwiml } from '../src/simulator/twiml.js';

const project = join(import.meta.dirname, '..');

/** Returns a step with the properties that flows read. */
const step = (more: Partial<CallFlowStep> = {}): CallFlowStep => ({
  phoneCall: { id: 1, msisdn: '+85510202101', metadata: {} },
  contact: { id: 1, msisdn: '+85510202101', metadata: {} },
  participation: { id: 1, metadata: {} },
  callout: { id: 1, status: 'running', metadata: {} },
  params: {},
  memory: undefined,
  keys: '',
  timesAsked: 0,
  answeredByMachine: false,
  at: '2026-11-24T00:00:00.000Z',
  actionUrl: (timesAsked) => `https://scfm.example.org/next?asked=${timesAsked}`,
  ...more,
});

describe('the example flow in docs/call-flows.md', () => {
  const file = join(project, `dist/src/call-flows/documented-${process.pid}.js`);
  let flow: CallFlow;

  beforeAll(async () => {
    const code = /```ts\n(.*?)```/s.exec(readFileSync(join(project, 'docs/call-flows.md'), 'utf8'))![1]!;
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, experimentalDecorators: true },
    });
    writeFileSync(file, outputText);
    const { WaterLevelCallFlow } = (await import(file)) as { WaterLevelCallFlow: new () => CallFlow };
    flow = new WaterLevelCallFlow();
  });
  afterAll(() => rmSync(file, { force: true }));

  it('asks three times in one valid document', () => {
    const { twiml, memory } = flow.reply(step());
    const verbs = readTwiml(twiml.toString());
    expect(verbs.map(({ name }) => name)).toEqual(['Gather', 'Gather', 'Gather', 'Say', 'Hangup']);
    expect(memory).toEqual({});
  });

  it('writes the answer to the participation', () => {
    const { write } = flow.reply(step({ memory: {}, keys: '3', timesAsked: 1 }));
    expect(write).toEqual({ participation: { water_level: 'knee' } });
  });

  it('asks again after an invalid key, and hangs up after the third', () => {
    const gathers = (timesAsked: number): number =>
      readTwiml(flow.reply(step({ memory: {}, keys: '7', timesAsked })).twiml.toString()).filter(
        ({ name }) => name === 'Gather',
      ).length;
    expect([gathers(1), gathers(2), gathers(3)]).toEqual([2, 1, 0]);
  });
});

describe('a registration script', () => {
  const example = readRegistrationScript();
  const read = (script: unknown) => {
    const file = join(tmpdir(), `scfm-script-${process.pid}.json`);
    writeFileSync(file, typeof script === 'string' ? script : JSON.stringify(script));
    try {
      return readRegistrationScript(file);
    } finally {
      rmSync(file);
    }
  };
  const asking = (question: object) => ({ ...example, questions: [question], confirm: 'Is that right?' });

  it('may ask a question in several languages, and with a recording', () => {
    const ask = [
      { text: 'តើអ្នករស់នៅទីណា?', language: 'km-KH', voice: 'Google.km-KH-Standard-A' },
      { audio_url: 'https://a.example/b.mp3' },
    ];
    const script = asking({ key: 'household', ask, number: { least: 1, most: 20 } });
    expect(read(script).questions[0]!.ask).toEqual(ask);
  });

  it.each([
    ['{', /JSON/],
    [{}, /the script must have required property 'questions'/],
    [{ ...example, thank_you: 'x' }, /the script must NOT have additional properties/],
    [{ ...example, language: 'Khmer!' }, /the script\/language must match pattern/],
    [{ ...example, goodbye: '' }, /the script\/goodbye/],
    [{ ...example, welcome: 'x'.repeat(4_097) }, /the script\/welcome/],
    [{ ...example, welcome: { audio_url: 'file:///etc/passwd' } }, /the script\/welcome/],
    [{ ...example, questions: [] }, /the script\/questions must NOT have fewer than 1 items/],
    [asking({ key: 'a', ask: 'A?' }), /the script\/questions\/0/],
    [asking({ key: 'a', ask: 'A?', answers: { one: 'x' } }), /the script\/questions\/0\/answers/],
    [asking({ key: 'do_not_call', ask: 'A?', answers: { 1: 'x' } }), /the script\/questions\/0\/key/],
    [asking({ key: 'a', ask: 'A?', number: { least: 20, most: 1 } }), /no number is an answer to the question a/],
    [{ ...example, confirm: 'You chose {provnice}.' }, /confirm speaks of \{provnice\}/],
    [{ ...example, thanks: 'Thank\u000byou' }, /a character that cannot be said/],
    [{ ...example, thanks: ' ' }, /the script\/thanks/],
    [{ ...example, questions: [example.questions[0], example.questions[0]] }, /two questions have the key language/],
  ])('is rejected with the place of the error: %j', (script, message) => {
    expect(() => read(script)).toThrow(message);
  });
});

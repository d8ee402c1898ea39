import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation } from './support/installation.js';
import { Program } from './support/program.js';

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.create();
});
afterAll(() => installation.remove());

const authorization = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

describe('basic auth', () => {
  let program: Program;

  beforeAll(async () => {
    const credentials = { HTTP_BASIC_AUTH_USER: 'operator', HTTP_BASIC_AUTH_PASSWORD: 'pass:word' };
    program = await installation.start(credentials);
  });

  it.each(['/api/contacts', '/api/nothing', '/docs', '/docs-json', '/'])('guards %s', async (path) => {
    for (const headers of [
      {},
      authorization('operator', 'wrong'),
      authorization('other', 'pass:word'),
      authorization('operator', ''),
      { Authorization: 'Bearer x' },
      { Authorization: 'Basic !' },
    ]) {
      const { status, body, headers: answered } = await program.api.get(path, headers as Record<string, string>);
      expect([status, body]).toEqual([401, { status: 401, error: 'Unauthorized' }]);
      expect(answered.get('www-authenticate')).toMatch(/^Basic realm="scfm"/);
      expect(answered.get('x-request-id')).toBeTruthy();
    }
  });

  it('lets the right user in', async () => {
    const { status } = await program.api.get('/api/contacts', authorization('operator', 'pass:word'));
    expect(status).toBe(200);
  });

  it.each(['/health/live', '/health/ready'])('leaves %s open', async (path) => {
    expect((await program.api.get(path)).status).toBe(200);
  });
});

describe('the log', () => {
  it('has one line a request, with its id, and nobody’s number or name', async () => {
    const program = await installation.start();
    const id = 'one-request-of-many';
    const json = { msisdn: '+85510202177', metadata: { name: 'Srey Mom' } };
    await program.api.send('POST', '/api/contacts', json, { 'X-Request-Id': id });
    await program.api.post('/api/contacts', json);
    await program.api.get('/api/contacts?q[msisdn]=%2B85510202177&q[metadata][name]=Srey+Mom');
    await program.api.get('/api/contacts/+85510202177');
    await program.api.post('/api/contacts', { msisdn: '+85510202177x' });
    await program.stop();
    const lines = program.output.split('\n').filter((line) => line.includes(id));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        reqId: id,
        method: 'POST',
        route: '/api/contacts',
        status: 201,
        ms: expect.any(Number),
      }),
    ]);
    expect(program.output).not.toMatch(/10202177|Srey|Mom/);
  });
});

describe('a setting that cannot be meant', () => {
  it.each([
    [{ PORT: 'x' }, 'PORT'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
    [{ HOST: '0.0.0.0' }, 'HOST'],
  ])('%j ends the program at once with one sentence', async (environment, name) => {
    const program = Program.launch({ ...installation.environment, ...environment });
    expect(await program.ended()).toBe(1);
    expect(program.output.trim().split('\n')).toEqual([expect.stringMatching(new RegExp(`^${name} .*\\.$`))]);
  });

  it('an address in use is one', async () => {
    const { url } = await installation.start();
    const second = Program.launch({ ...installation.environment, PORT: new URL(url).port });
    expect(await second.ended()).toBe(1);
    expect(second.output).toMatch(/^HOST and PORT must be an address that is free/m);
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as TcpServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findPrograms, redisPrograms } from '../scripts/programs.mjs';
import { prepareRedis, type Server } from '../scripts/servers.mjs';
import { CertificateAuthority } from './support/certificate-authority.js';
import { eventually } from './support/eventually.js';
import { freePort } from './support/free-port.js';
import { Installation } from './support/installation.js';
import { Program } from './support/program.js';

const PASSWORD = 'open%25sesame';
const SECRET = 'open%sesame';

let folder: string;
let installation: Installation;
let authority: CertificateAuthority;
let other: CertificateAuthority;
/** A Redis with TLS, and a certificate for 127.0.0.1. */
let redis: Server;
/** A Redis with TLS, and a certificate for another host. */
let elsewhere: Server;
/** A Redis without TLS. */
let plain: Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'scfm-tls-'));
  authority = new CertificateAuthority(folder, 'authority');
  other = new CertificateAuthority(folder, 'other');
  const programs = findPrograms(redisPrograms);
  const encrypted = (names: string) => {
    const { certificate, key } = authority.issue(names);
    return prepareRedis(programs, folder, {
      tls: true,
      'tls-cert-file': certificate,
      'tls-key-file': key,
      'tls-ca-cert-file': authority.certificate,
      'tls-auth-clients': 'no',
      requirepass: SECRET,
    });
  };
  redis = await encrypted('IP:127.0.0.1');
  elsewhere = await encrypted('DNS:redis.example.org');
  plain = await prepareRedis(programs, folder, { requirepass: SECRET });
  for (const server of [redis, elsewhere, plain]) await server.start();
  installation = await Installation.create();
});
afterEach(() => installation.killAll());
afterAll(async () => {
  await installation.remove();
  for (const server of [redis, elsewhere, plain]) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const at = (port: number) => ({ REDIS_URL: `rediss://:${PASSWORD}@127.0.0.1:${port}/3` });
const trusting = ({ certificate }: CertificateAuthority) => ({ REDIS_CA_FILE: certificate });

/** Starts the program, which must fail. @returns the lines that it prints */
async function refusal(environment: Record<string, string>): Promise<string[]> {
  const program = Program.launch({ ...installation.environment, PORT: '0', ...environment });
  expect(await program.waitForExit()).toBe(1);
  return program.output.trim().split('\n');
}

describe('rediss://', () => {
  it.each([
    ['REDIS_CA_FILE', () => trusting(authority)],
    ['NODE_EXTRA_CA_CERTS', () => ({ NODE_EXTRA_CA_CERTS: authority.certificate })],
  ])('distributes jobs with the right authority in %s', async (_, trust) => {
    // Without the queue, no worker would run a batch before the test times out.
    const slow = { SWEEP_SECONDS: '3600' };
    const { api } = await installation.start({ ...at(redis.port), ...trust(), ...slow });
    await api.createContacts({ msisdn: `+855102021${trust().hasOwnProperty('REDIS_CA_FILE') ? '01' : '02'}` });
    const callout = await api.createCallout();
    expect(await api.runBatchOperation(await api.createPopulation(callout))).toMatchObject({ status: 'finished' });
    expect((await api.get('/health/ready')).status).toBe(200);
    const ca = readFileSync(authority.certificate);
    const client = new Redis({ host: '127.0.0.1', port: redis.port, password: SECRET, db: 3, tls: { ca } });
    expect(await client.keys('scfm:batch_operation:*')).not.toEqual([]);
    client.disconnect();
  });

  it.each([
    ['the wrong authority', () => ({ ...at(redis.port), ...trusting(other) })],
    ['no authority', () => at(redis.port)],
    ['another host’s certificate', () => ({ ...at(elsewhere.port), ...trusting(authority) })],
  ])('is refused in one sentence with %s', async (_, environment) => {
    expect(await refusal(environment())).toEqual([
      expect.stringMatching(/^REDIS_URL names a Redis that cannot be trusted: [^\n]*\.$/),
    ]);
  });

  it('is refused for an untrusted certificate, even with NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    const lines = await refusal({ ...at(redis.port), NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(lines).toContainEqual(expect.stringMatching(/^REDIS_URL names a Redis that cannot be trusted: /));
  });

  it('is refused when Redis does not encrypt', async () => {
    expect(await refusal({ ...at(plain.port), ...trusting(authority) })).toEqual([
      expect.stringMatching(/^REDIS_URL begins with rediss:\/\/, but that Redis does not encrypt.*\.$/),
    ]);
  });

  it('may be unreachable when the program starts, and is used as soon as it is available', async () => {
    await redis.stop();
    try {
      const { api } = await installation.start({ ...at(redis.port), ...trusting(authority) });
      expect((await api.get('/health/ready')).status).toBe(503);
      await redis.start();
      await eventually(async () => (await api.get('/health/ready')).status === 200);
    } finally {
      await redis.start();
    }
  });
});

describe('a server that is not the Redis of the program', () => {
  let received = '';
  let response: string | undefined;
  let server: TcpServer;

  const listen = async (port: number): Promise<number> => {
    received = '';
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        received += data.toString('latin1');
        if (response) socket.write(response);
      });
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  afterEach(() => server.close());

  const expectNoSecret = (): void => {
    expect(received).not.toBe('');
    for (const secret of [SECRET, PASSWORD, btoa(SECRET), 'AUTH', 'HELLO']) expect(received).not.toContain(secret);
  };

  it('receives no password when it responds without TLS', async () => {
    response = '-NOAUTH Authentication required.\r\n';
    const lines = await refusal({ ...at(await listen(0)), ...trusting(authority) });
    expect(lines).toEqual([expect.stringMatching(/^REDIS_URL begins with rediss:\/\/, but/)]);
    expectNoSecret();
  });

  it('receives no password when it never responds: Redis counts as unreachable', async () => {
    response = undefined;
    const { api } = await installation.start({ ...at(await listen(0)), ...trusting(authority) });
    expect((await api.get('/health/ready')).status).toBe(503);
    expectNoSecret();
  });

  it('receives no password when it replaces that Redis later', async () => {
    response = '-NOAUTH Authentication required.\r\n';
    const port = await freePort();
    const { api } = await installation.start({ ...at(port), ...trusting(authority) });
    await listen(port);
    await eventually(() => received.length > 1_000);
    expect((await api.get('/health/ready')).status).toBe(503);
    expectNoSecret();
  });
});

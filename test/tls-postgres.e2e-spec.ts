import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findPrograms, postgresPrograms } from '../scripts/programs.mjs';
import { preparePostgres, type Server } from '../scripts/servers.mjs';
import { CertificateAuthority, type Certificate } from './support/certificate-authority.js';
import { eventually } from './support/eventually.js';
import { Installation, way } from './support/installation.js';
import { withPostgresClient } from './support/postgres-client.js';
import { Program } from './support/program.js';
import { runScript } from './support/run-script.js';

let contacts = 0;
const newNumber = (): string => `+8551020210${++contacts}`;

const SECRET = 'open%sesame/+@';

/** The encrypting server accepts only TLS connections, and the role `certified` only with a certificate. */
const HBA = `
hostssl all certified 127.0.0.1/32 trust clientcert=verify-ca
hostssl all all       127.0.0.1/32 scram-sha-256
`;

const UNTRUSTED = /^DATABASE_URL leads to a server that cannot be trusted \([^\n]*\): [^\n]*\.\n$/;
const NO_TLS = /^DATABASE_URL asks for TLS, which the server does not offer: [^\n]*\.\n$/;
const NO_CERTIFICATES = /^DATABASE_URL’s sslrootcert must be a file with certificates in PEM: [^\n]*\.\n$/;

describe.runIf(way === 'cluster')('PostgreSQL with TLS', () => {
  let folder: string;
  let authority: CertificateAuthority;
  let other: CertificateAuthority;
  /** The certificate of a client. */
  let client: Certificate;
  /** A server that accepts only TLS, with a certificate for 127.0.0.1. */
  let encrypted: Server;
  /** A server without TLS. */
  let plain: Server;
  let installation: Installation;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'scfm-tls-'));
    authority = new CertificateAuthority(folder, 'authority');
    other = new CertificateAuthority(folder, 'other');
    client = authority.issue('DNS:scfm.example.org');
    const { certificate, key } = authority.issue('IP:127.0.0.1');
    const hba = join(folder, 'pg_hba.conf');
    writeFileSync(hba, HBA);
    const programs = findPrograms(postgresPrograms);
    encrypted = await preparePostgres(programs, folder, {
      password: SECRET,
      settings: {
        ssl: 'on',
        ssl_cert_file: certificate,
        ssl_key_file: key,
        ssl_ca_file: authority.certificate,
        hba_file: hba,
      },
      files: [key],
    });
    mkdirSync(join(folder, 'plain'));
    plain = await preparePostgres(programs, join(folder, 'plain'), { password: SECRET });
    for (const server of [encrypted, plain]) await server.start();
    installation = Installation.of({}, async () => undefined);
    const connection = await connect();
    await connection.query('CREATE ROLE certified LOGIN SUPERUSER');
    await connection.end();
  });
  afterEach(() => installation.killAll());
  afterAll(async () => {
    await installation.remove();
    for (const server of [encrypted, plain]) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The environment for a server, with parameters in its URL. */
  const at = (server: Server, parameters: Record<string, string>, change: (url: URL) => void = () => {}) => {
    const url = new URL(server.url);
    change(url);
    const query = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    url.search = query.join('&');
    return { DATABASE_URL: url.href };
  };
  const trusted = (sslmode = 'verify-full') => ({ sslmode, sslrootcert: authority.certificate });

  /** Connects the test itself to the encrypting server. */
  const connect = async (): Promise<pg.Client> => {
    const connection = new pg.Client({ connectionString: at(encrypted, trusted()).DATABASE_URL });
    await connection.connect();
    return connection;
  };

  /** The sessions of the program: what each one waits for, and whether it is encrypted. */
  const sessions = async (connection: pg.Client) => {
    // A transaction sees the sessions of its first look, unless it forgets them.
    await connection.query('SELECT pg_stat_clear_snapshot()');
    const { rows } = await connection.query<{ wait: string | null; ssl: boolean }>(
      `SELECT wait_event_type AS wait, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
        WHERE application_name = 'scfm'`,
    );
    return rows;
  };

  const withPassword = () => at(encrypted, trusted());
  const withCertificate = () =>
    at(
      encrypted,
      { ...trusted(), sslcert: client.certificate, sslkey: client.key },
      (url) => ([url.username, url.password] = ['certified', '']),
    );

  it.each([
    ['a password', withPassword],
    ['a certificate of its own', withCertificate],
  ])('accepts the program with %s, and each connection of both pools is encrypted', async (_, environment) => {
    const { api } = await installation.start(environment());
    const connection = await connect();
    const requests: Promise<{ status: number }>[] = [];
    try {
      await connection.query('BEGIN');
      await connection.query('LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE');
      requests.push(api.get('/api/contacts'), api.post('/api/contacts', { msisdn: newNumber() }));
      // The list waits on a connection for lists, the new contact on a main connection.
      await eventually(async () => (await sessions(connection)).filter(({ wait }) => wait === 'Lock').length === 2);
      const all = await sessions(connection);
      expect(all.map(({ ssl }) => ssl)).toEqual(all.map(() => true));
    } finally {
      await connection.end();
    }
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([200, 201]);
  });

  it.each([
    ['sslmode=verify-full', withPassword],
    ['sslmode=require', () => at(encrypted, trusted('require'))],
    ['sslmode=verify-ca', () => at(encrypted, trusted('verify-ca'))],
    ['ssl=true', () => at(encrypted, { ssl: 'true', sslrootcert: authority.certificate })],
    ['sslrootcert alone', () => at(encrypted, { sslrootcert: authority.certificate })],
    ['sslmode=no-verify', () => at(encrypted, { sslmode: 'no-verify' })],
    ['NODE_EXTRA_CA_CERTS', () => ({ ...at(encrypted, { sslmode: 'verify-full' }), ...extra() })],
    ['sslrootcert=system', () => ({ ...at(encrypted, { sslmode: 'verify-full', sslrootcert: 'system' }), ...extra() })],
    ['a certificate of its own', withCertificate],
  ])('accepts the migration with %s, without a warning', async (_, environment) => {
    const { code, output, error } = await runScript('migrate.js', [], environment());
    expect([code, error, output]).toEqual([0, '', 'The database is up to date.\n']);
  });
  const extra = () => ({ NODE_EXTRA_CA_CERTS: authority.certificate });

  const refusals: [string, () => Record<string, string>, RegExp][] = [
    [
      'an authority that signed something else',
      () => at(encrypted, { sslmode: 'verify-full', sslrootcert: other.certificate }),
      UNTRUSTED,
    ],
    ['no authority', () => at(encrypted, { sslmode: 'verify-full' }), UNTRUSTED],
    ['sslmode=require without an authority', () => at(encrypted, { sslmode: 'require' }), UNTRUSTED],
    [
      'a host that its certificate does not name',
      () => at(encrypted, trusted(), (url) => (url.hostname = 'localhost')),
      UNTRUSTED,
    ],
    [
      'such a host with sslmode=verify-ca',
      () => at(encrypted, trusted('verify-ca'), (url) => (url.hostname = 'localhost')),
      UNTRUSTED,
    ],
    ['a server without TLS', () => at(plain, trusted()), NO_TLS],
    [
      'a connection without TLS',
      () => at(encrypted, {}),
      /^DATABASE_URL is refused by PostgreSQL: [^\n]*no encryption\.\n$/,
    ],
    ['sslmode=disable', () => at(encrypted, { sslmode: 'disable' }), /^DATABASE_URL is refused by PostgreSQL: /],
    [
      'a missing file of authorities',
      () => at(encrypted, { sslmode: 'verify-full', sslrootcert: join(folder, 'nowhere.crt') }),
      NO_CERTIFICATES,
    ],
    [
      'a file of authorities that cannot be read',
      () => at(encrypted, { sslmode: 'verify-full', sslrootcert: folder }),
      NO_CERTIFICATES,
    ],
    [
      'a file of authorities without a certificate',
      () => at(encrypted, { sslmode: 'verify-full', sslrootcert: authority.certificate.replace(/crt$/, 'key') }),
      NO_CERTIFICATES,
    ],
    [
      'a key of another certificate',
      () => at(encrypted, { ...trusted(), sslcert: client.certificate, sslkey: join(folder, 'other.key') }),
      /^DATABASE_URL’s sslcert and sslkey must be a certificate and its key in PEM: [^\n]*\.\n$/,
    ],
  ];

  describe.each(['main.js', 'migrate.js'])('(%s)', (script) => {
    it.each(refusals)('is refused at the start, in one sentence, for %s', async (_, environment, sentence) => {
      const program = Program.launch({ PORT: '0', ...environment() }, { script });
      try {
        await eventually(() => program.hasExited || /^API /m.test(program.output));
        expect(await program.stop()).toBe(1);
      } finally {
        await program.kill();
      }
      expect(program.output).toMatch(sentence);
      expect(program.output).not.toContain(encodeURIComponent(SECRET));
    });
  });

  it('is refused for an untrusted certificate, even with NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    const environment = { ...at(encrypted, { sslmode: 'verify-full' }), NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    const { code, error } = await runScript('migrate.js', [], environment);
    expect(code).toBe(1);
    expect(error).toMatch(/^DATABASE_URL leads to a server that cannot be trusted \(.*\): .*\.$/m);
  });

  describe('a backup over TLS', () => {
    const backup = (name: string, environment: Record<string, string>) =>
      runScript('backup.js', [join(folder, name)], { ...withPostgresClient, ...environment });

    it.each(['verify-full', 'require', 'no-verify'])('is made with sslmode=%s', async (sslmode) => {
      const { code, output, error } = await backup(`${sslmode}.backup`, at(encrypted, trusted(sslmode)));
      expect([code, error]).toEqual([0, '']);
      expect(output).toContain(`is a backup of PostgreSQL at 127.0.0.1:${encrypted.port}/postgres`);
    });

    it.each([
      ['an authority that signed something else', () => ({ sslmode: 'verify-full', sslrootcert: other.certificate })],
      ['such an authority and sslmode=require', () => ({ sslmode: 'require', sslrootcert: other.certificate })],
    ])('is refused with %s', async (name, parameters) => {
      const { code, error } = await backup(name, at(encrypted, parameters()));
      expect([code, error]).toEqual([1, expect.stringMatching(/certificate verify failed[^]*no backup was made\.\n$/)]);
      expect(existsSync(join(folder, name))).toBe(false);
    });

    it('is refused in each verifying mode when the certificate does not name the host', async () => {
      for (const sslmode of ['require', 'verify-ca', 'verify-full']) {
        const environment = at(encrypted, trusted(sslmode), (url) => (url.hostname = 'localhost'));
        const { code, error } = await backup('elsewhere', environment);
        expect([code, error]).toEqual([1, expect.stringMatching(/does not match host name "localhost"/)]);
      }
    });

    it('needs the file of authorities', async () => {
      const { code, error } = await backup('x', at(encrypted, { sslmode: 'require', sslrootcert: '/nowhere/ca.pem' }));
      expect([code, error]).toEqual([1, expect.stringMatching(NO_CERTIFICATES)]);
    });
  });
});

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Installation, way } from './support/installation.js';
import { Program } from './support/program.js';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe.runIf(way === 'embedded')('the files of SQLite', () => {
  let folder: string;
  let program: Program | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scfm-files-'));
    chmodSync(folder, 0o755);
  });
  afterEach(async () => {
    await program?.kill();
    program = undefined;
    rmSync(folder, { recursive: true });
  });

  const start = async (environment: Record<string, string>, cwd?: string): Promise<Program> => {
    program = await Program.start(environment, cwd);
    await program.api.createContacts({ msisdn: '+85510202101' });
    return program;
  };
  const modes = (path: string) => Object.fromEntries(readdirSync(path).map((name) => [name, modeOf(join(path, name))]));
  const privateFiles = (name: string) => ({
    [name]: '600',
    [`${name}-wal`]: '600',
    [`${name}-shm`]: '600',
    [`${name}-migration-lock`]: '600',
  });

  it('have permissions for their owner only, and so has their folder', async () => {
    const deep = join(folder, 'made', 'by us');
    await start({ DATABASE_URL: `sqlite:${join(deep, 'a.sqlite3')}` });
    expect(modes(deep)).toEqual(privateFiles('a.sqlite3'));
    expect([modeOf(join(folder, 'made')), modeOf(deep), modeOf(folder)]).toEqual(['700', '700', '755']);
  });

  it('have permissions for their owner only in the default folder, too', async () => {
    await start({}, folder);
    expect(modeOf(join(folder, 'data'))).toBe('700');
    expect(modes(join(folder, 'data'))).toEqual(privateFiles('scfm.sqlite3'));
  });

  it('lose the permissions of other users at the next start; a folder that the program did not create keeps its own', async () => {
    const environment = { DATABASE_URL: `sqlite:${join(folder, 'a.sqlite3')}` };
    await (await start(environment)).kill();
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o664);
    program = await Program.start(environment);
    expect((await program.api.get('/api/contacts')).body).toHaveLength(1);
    expect(modes(folder)).toEqual(privateFiles('a.sqlite3'));
    expect(modeOf(folder)).toBe('755');
  });

  it('lose the permissions of other users in the default folder, and so does that folder', async () => {
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o755 });
    writeFileSync(join(data, 'scfm.sqlite3'), '', { mode: 0o644 });
    await start({}, folder);
    expect([modeOf(data), modes(data)]).toEqual(['700', privateFiles('scfm.sqlite3')]);
  });

  it('are named in one sentence when they cannot be written', async () => {
    const program = Program.launch({ DATABASE_URL: `sqlite:${folder}` });
    expect(await program.waitForExit()).toBe(1);
    expect(program.output).toMatch(/^DATABASE_URL must name a file that can be written: EISDIR[^\n]*\.\n$/);
  });

  it('are locked while the program runs, so that no other program deletes the -wal file', async () => {
    const path = join(folder, 'a.sqlite3');
    const { pid } = await start({ DATABASE_URL: `sqlite:${path}` });
    // Source: proc_locks(5); the fifth field is the process, the sixth ends with the file's inode.
    const locks = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
    const held = locks.filter((lock) => lock[4] === String(pid) && lock[5]?.endsWith(`:${statSync(path).ino}`));
    expect(held).not.toEqual([]);
  });

  it('are closed by an orderly stop after concurrent reads', async () => {
    const installation = await Installation.createEmbedded();
    const started = await installation.start();
    const { api } = started;
    await api.createContacts({ msisdn: '+85510202101' }, { msisdn: '+85510202102' });
    // Concurrent first uses of the same statements, many times.
    for (let keys = 1; keys <= 20; keys++) {
      const filter = Array.from({ length: keys }, (_, n) => `q[metadata][k${n}]=1`).join('&');
      const answers = await Promise.all(Array.from({ length: 30 }, () => api.get(`/api/contacts?${filter}`)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    }
    expect(await started.stop('SIGTERM')).toBe(0);
    expect(started.output).not.toMatch(/error/i);
    await installation.remove();
  });
});

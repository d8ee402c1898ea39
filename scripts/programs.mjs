import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The programs of the servers, and the Debian packages that contain them. */
export const postgresPrograms = { initdb: 'postgresql', postgres: 'postgresql' };
export const postgresClientPrograms = { pg_dump: 'postgresql-client', pg_restore: 'postgresql-client' };
export const redisPrograms = { 'redis-server': 'redis-server' };

/**
 * Finds programs on this machine. Installs missing ones from Debian if possible; otherwise exits with a message.
 *
 * @param programs the Debian package of each program, by the program's name
 * @returns the path of each program, by its name
 */
export function findPrograms(programs) {
  const missing = () => Object.keys(programs).filter((name) => !find(name));
  if (missing().length > 0 && process.getuid?.() === 0 && find('apt-get')) {
    const packages = [...new Set(missing().map((name) => programs[name]))];
    console.log(`Installing ${packages.join(' and ')} for the tests.`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    try {
      execFileSync('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
      execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    } catch {
      // Programs that are still missing are reported below.
    }
  }
  if (missing().length > 0) {
    console.error(
      `The tests need ${missing().join(' and ')}, which ${missing().length > 1 ? 'are' : 'is'} not on this machine and could not be ` +
        'installed. Install PostgreSQL and Redis, or set TEST_DATABASE_URL and TEST_REDIS_URL.',
    );
    process.exit(1);
  }
  return Object.fromEntries(Object.keys(programs).map((name) => [name, find(name)]));
}

function find(name) {
  const versions = '/usr/lib/postgresql';
  const debian = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, 'bin'))
    : [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...debian,
    '/usr/sbin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

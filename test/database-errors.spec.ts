import { describe, expect, it } from 'vitest';
import { isDatabaseUnavailable } from '../src/database/database-errors.js';

const withCode = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('isDatabaseUnavailable', () => {
  it.each([
    ['no server listens', withCode('ECONNREFUSED')],
    ['the server shuts down', withCode('57P01', 'terminating connection due to administrator command')],
    ['the server starts', withCode('57P03', 'the database system is starting up')],
    ['there are too many connections', withCode('53300', 'sorry, too many clients already')],
    ['the disk is full', withCode('53100')],
    ['the pool has no free connection in time', new Error('timeout exceeded when trying to connect')],
    ['the connection was lost', new Error('Connection terminated unexpectedly')],
    ['the file is locked', withCode('SQLITE_BUSY', 'SQLITE_BUSY: database is locked')],
    ['the file cannot grow', withCode('SQLITE_FULL')],
  ])('is true when %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  it.each([
    ['a violated unique index', withCode('23505')],
    ['an SQL syntax error', withCode('42601')],
    ['a violated constraint of SQLite', withCode('SQLITE_CONSTRAINT')],
    ['a programming error', new TypeError('Cannot read properties of undefined')],
    ['a value that is not an error', 'ECONNREFUSED'],
    ['undefined', undefined],
  ])('is false for %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
  });
});

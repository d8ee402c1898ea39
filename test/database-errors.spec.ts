import { describe, expect, it } from 'vitest';
import { isDatabaseUnavailable } from '../src/database/database-errors.js';

const coded = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('isDatabaseUnavailable', () => {
  it.each([
    ['nobody listens', coded('ECONNREFUSED')],
    ['the server is stopped', coded('57P01', 'terminating connection due to administrator command')],
    ['the server starts', coded('57P03', 'the database system is starting up')],
    ['there are too many connections', coded('53300', 'sorry, too many clients already')],
    ['the disk is full', coded('53100')],
    ['the pool gave none in time', new Error('timeout exceeded when trying to connect')],
    ['the connection was lost', new Error('Connection terminated unexpectedly')],
    ['the file is locked', coded('SQLITE_BUSY', 'SQLITE_BUSY: database is locked')],
    ['the file cannot grow', coded('SQLITE_FULL')],
  ])('is so when %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  it.each([
    ['a unique index', coded('23505')],
    ['SQL that is wrong', coded('42601')],
    ['a constraint of SQLite', coded('SQLITE_CONSTRAINT')],
    ['a mistake of ours', new TypeError('Cannot read properties of undefined')],
    ['no error', 'ECONNREFUSED'],
    ['nothing', undefined],
  ])('is not so for %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
  });
});

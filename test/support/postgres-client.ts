import { dirname } from 'node:path';
import { findPrograms, postgresClientPrograms } from '../../scripts/programs.mjs';

/** The paths of PostgreSQL's client programs, by name. */
export const postgresClient = findPrograms(postgresClientPrograms);

/** An environment whose `PATH` includes the client programs. On Debian they may be outside of `PATH`. */
export const withPostgresClient = { PATH: `${dirname(postgresClient.pg_dump!)}:${process.env.PATH}` };

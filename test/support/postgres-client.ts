import { dirname } from 'node:path';
import { findPrograms, postgresClientPrograms } from '../../scripts/servers.mjs';

/** The programs of PostgreSQL's client package on this machine, by their names. */
export const postgresClient = findPrograms(postgresClientPrograms);

/** An environment in which the program finds them: Debian's `PATH` does not name their folder on every machine. */
export const withPostgresClient = { PATH: `${dirname(postgresClient.pg_dump!)}:${process.env.PATH}` };

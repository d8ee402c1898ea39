/** A conflict between transactions: a serialization failure, a deadlock, a lock that is not available. */
const CONFLICT_CODES = /^40001$|^40P01$|^55P03$/;

/** Source: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const POSTGRES_CODES = [
  /^08/, // connection exceptions
  /^53/, // too many connections, out of memory, disk full
  /^57P0[123]$/, // the server shuts down, has crashed, or starts
  /^25P0[34]$/, // the server ended a session that was idle for too long
  /^25006$/, // the server is read-only, for example during a failover
  CONFLICT_CODES, // every attempt met a conflict
];

/** Source: https://www.sqlite.org/rescode.html */
const SQLITE_CODES = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|PROTOCOL)$/;

/** Sources: https://nodejs.org/api/errors.html#common-system-errors, and getaddrinfo(3). */
const NETWORK_CODES =
  /^E(CONNREFUSED|CONNRESET|CONNABORTED|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|HOSTDOWN|NOTFOUND|AI_AGAIN)$/;

/** Messages of the drivers that have no code: a connection is lost, or none is available in time. */
const MESSAGES = [
  /^timeout exceeded when trying to connect/,
  /^Connection terminated/,
  /^Client has encountered a connection error and is not queryable/,
  /^Client was closed and is not queryable/,
  /^Query read timeout/,
];

/**
 * @returns whether an error means that the database cannot be used now: it is unreachable, full, or too busy. The
 *   request is not at fault, and may succeed later
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, name, message } = error as Error & { code?: unknown };
  if (typeof code === 'string' && [...POSTGRES_CODES, SQLITE_CODES, NETWORK_CODES].some((codes) => codes.test(code)))
    return true;
  // TypeORM throws this one when a transaction loses its connection between two statements.
  return name === 'QueryRunnerAlreadyReleasedError' || MESSAGES.some((pattern) => pattern.test(message));
}

/** @returns whether PostgreSQL canceled a statement, because of its time limit or on request */
export function isCanceled(error: unknown): boolean {
  return (Object(error) as { code?: unknown }).code === '57014';
}

/** @returns whether an error is a conflict with another transaction. The database itself is available. */
export function isConflict(error: unknown): error is { code: string } {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' && CONFLICT_CODES.test(code);
}

/**
 * @returns the name of the unique index that an error violates; undefined for any other error. SQLite names only the
 *   columns, so the name is derived from them: `<table>_<columns>_key`
 */
export function violatedUniqueIndex(error: unknown): string | undefined {
  const { code, constraint, message } = Object(error) as { code?: string; constraint?: string; message?: string };
  if (code === '23505') return constraint;
  const columns = /UNIQUE constraint failed: (.+)$/.exec(code === 'SQLITE_CONSTRAINT' ? (message ?? '') : '')?.[1];
  if (!columns) return undefined;
  const [table] = columns.split('.');
  return [table, ...columns.split(', ').map((column) => column.split('.')[1]), 'key'].join('_');
}

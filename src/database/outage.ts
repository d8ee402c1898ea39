/** A conflict between transactions: a serialization failure, a deadlock, a lock that is not available. */
const CONFLICT = /^40001$|^40P01$|^55P03$/;

/** Source: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const POSTGRES = [
  /^08/, // connection exceptions
  /^53/, // too many connections, no memory, a full disk
  /^57P0[123]$/, // it is stopped, has crashed, or is starting
  /^25P0[34]$/, // it broke off a session that was silent for too long
  /^25006$/, // it takes no writes, as while another server takes its place
  CONFLICT, // what others do was in the way, however often it was tried
];

/** Source: https://www.sqlite.org/rescode.html */
const SQLITE = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|PROTOCOL)$/;

/** Source: https://nodejs.org/api/errors.html#common-system-errors, and of getaddrinfo(3). */
const NETWORK =
  /^E(CONNREFUSED|CONNRESET|CONNABORTED|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|HOSTDOWN|NOTFOUND|AI_AGAIN)$/;

/** What the drivers say without a code, of a connection that is lost or that there is none of in time. */
const WORDS = [
  /^timeout exceeded when trying to connect/,
  /^Connection terminated/,
  /^Client has encountered a connection error and is not queryable/,
  /^Client was closed and is not queryable/,
  /^Query read timeout/,
];

/**
 * Whether an error tells that the database cannot be used at present, through no fault of the request: it is away, full, or too busy. The
 * same request may well succeed later.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, name, message } = error as Error & { code?: unknown };
  if (typeof code === 'string' && [...POSTGRES, SQLITE, NETWORK].some((codes) => codes.test(code))) return true;
  // TypeORM's word for a transaction that lost its connection between two statements.
  return name === 'QueryRunnerAlreadyReleasedError' || WORDS.some((words) => words.test(message));
}

/** Whether PostgreSQL canceled a statement: because of its time limit, or on request. */
export function isCanceled(error: unknown): boolean {
  return (Object(error) as { code?: unknown }).code === '57014';
}

/** Whether an error is a conflict with another transaction. The database itself is available. */
export function isConflict(error: unknown): boolean {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' && CONFLICT.test(code);
}

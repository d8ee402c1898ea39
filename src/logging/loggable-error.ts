/** The properties of an error that may be logged. */
interface LoggableError {
  type: string;
  message?: string;
  code?: unknown;
  stack?: string;
}

/**
 * Selects the properties of an error that may be logged. Others must not be logged: a database error has the parameters
 * of its statement and the row, which contain phone numbers and names.
 */
export function loggableError(error: unknown): LoggableError {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as Error & { code?: unknown };
  return { type: error.name, message: error.message, code, stack: error.stack };
}

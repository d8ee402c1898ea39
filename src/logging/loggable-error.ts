interface LoggableError {
  type: string;
  message?: string;
  code?: unknown;
  stack?: string;
}

/**
 * Returns the properties of an error that may be logged. The others must not be: a database error has the parameters of
 * the statement and the row, which contain phone numbers and names.
 */
export function loggableError(error: unknown): LoggableError {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as Error & { code?: unknown };
  return { type: error.name, message: error.message, code, stack: error.stack };
}

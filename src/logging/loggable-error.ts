interface LoggableError {
  type: string;
  message?: string;
  code?: unknown;
  stack?: string;
}

/**
 * What the log may know of an error: its kind, code and stack. A database error also carries the statement's parameters and the row that
 * it is about, which are people's numbers and names.
 */
export function loggableError(error: unknown): LoggableError {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as Error & { code?: unknown };
  return { type: error.name, message: error.message, code, stack: error.stack };
}

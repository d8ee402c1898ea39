import type { Programs } from './programs.mjs';

/** A private server with its own data, on a free port. */
export class Server {
  readonly port: number;
  readonly url: string;
  readonly runs: boolean;

  /** Starts the server, unless it runs, and waits until it accepts connections. */
  start(): Promise<void>;

  /** Stops the server by a signal, and waits for its exit. The default signal shuts it down cleanly. */
  stop(signal?: NodeJS.Signals): Promise<void>;

  /** Sends a signal without waiting for its effect. */
  signal(signal: NodeJS.Signals): void;
}

/** Options of a private PostgreSQL. */
export interface PostgresOptions {
  /** Further environment variables of the server. */
  environment?: Readonly<Record<string, string>>;
  /** The password of its user. Without one, every local connection is trusted. */
  password?: string;
  /** Further settings of PostgreSQL, by name. */
  settings?: Readonly<Record<string, string>>;
  /** Files whose ownership is given to the server's user. */
  files?: readonly string[];
}

/** Creates a PostgreSQL with an empty database in `folder`, without starting it. */
export function preparePostgres(programs: Programs, folder: string, options?: PostgresOptions): Promise<Server>;

/**
 * Creates an empty Redis without persistence, without starting it.
 *
 * @param settings further settings of Redis, by name; `tls` makes its port use TLS
 */
export function prepareRedis(
  programs: Programs,
  folder: string,
  settings?: { tls?: boolean } & Readonly<Record<string, string | boolean>>,
): Promise<Server>;

/** @returns the user and group that PostgreSQL runs as; empty when they are those of this process */
export function unprivilegedUser(): { uid?: number; gid?: number };

/** Where programs are on this machine, by their names. */
export type Programs = Readonly<Record<string, string>>;

export const postgresPrograms: Programs;
export const postgresClientPrograms: Programs;
export const redisPrograms: Programs;

/** Where programs are; those that are missing are installed where that can be done, or the process ends. */
export function findPrograms(packages: Programs): Programs;

/** A server of ours with its data, on a port of its own. */
export class Server {
  readonly port: number;
  readonly url: string;
  readonly runs: boolean;

  /** Starts it, unless it runs, and waits until it answers. */
  start(): Promise<void>;

  /** Ends it by a signal (in good order, without one), and waits until it has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;

  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void;
}

/** How a PostgreSQL of a test differs from an open one. */
export interface PostgresOptions {
  /** More of it for the server. */
  environment?: Readonly<Record<string, string>>;
  /** Of its user. Without one, everybody on this machine is let in. */
  password?: string;
  /** More of PostgreSQL's own, by their names. */
  settings?: Readonly<Record<string, string>>;
  /** Files that are handed over to the account of the server. */
  files?: readonly string[];
}

/** A PostgreSQL with an empty database in `folder`, to be started. */
export function preparePostgres(programs: Programs, folder: string, options?: PostgresOptions): Promise<Server>;

/** An empty Redis that keeps nothing on disk, with more of its own settings, to be started. With `tls` its port is encrypted. */
export function prepareRedis(
  programs: Programs,
  folder: string,
  settings?: { tls?: boolean } & Readonly<Record<string, string | boolean>>,
): Promise<Server>;

/** The account that PostgreSQL runs as; empty where it is that of this process. */
export function unprivilegedUser(): { uid?: number; gid?: number };

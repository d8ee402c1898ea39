/** Strings by the name of a program: its path, or the Debian package that contains it. */
export type Programs = Readonly<Record<string, string>>;

export const postgresPrograms: Programs;
export const postgresClientPrograms: Programs;
export const redisPrograms: Programs;

/** Finds programs on this machine. Installs missing ones from Debian if possible; otherwise exits with a message. */
export function findPrograms(packages: Programs): Programs;

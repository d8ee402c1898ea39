import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPTS = join(import.meta.dirname, '../../dist/src');

/** How a script ended. */
export interface ScriptResult {
  /** The exit code, or -1 when a signal ended it. */
  code: number;
  /** The standard output. */
  output: string;
  /** The standard error. */
  error: string;
}

/**
 * Runs a script of the build, such as `backup.js`, and waits until it has exited.
 *
 * @param environment the whole environment, except for `PATH`
 * @param folder the working directory. The default is not the project's folder, where a developer's `.env` would apply.
 */
export function runScript(
  script: string,
  args: readonly string[],
  environment: Record<string, string>,
  folder = tmpdir(),
): Promise<ScriptResult> {
  const env = { PATH: process.env.PATH, ...environment };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(SCRIPTS, script), ...args],
      { cwd: folder, env },
      (_, output, error) => resolve({ code: child.exitCode ?? -1, output, error }),
    );
  });
}

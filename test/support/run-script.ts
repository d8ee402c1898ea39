import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPTS = join(import.meta.dirname, '../../dist/src');

export interface ScriptResult {
  code: number;
  /** What it printed on the standard output, and on the standard error. */
  output: string;
  error: string;
}

/**
 * Runs a built script, such as `backup.js`, with just this environment, and waits for its end.
 * @param folder in which it runs: elsewhere than in the project's, so that no `.env` of a developer counts
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

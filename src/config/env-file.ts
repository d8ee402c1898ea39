import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from '../errors/config-error.js';

/** The contents of a `.env` file. */
export interface EnvFile {
  variables: Record<string, string>;
  /** One sentence for each line whose author probably meant something else. */
  warnings: string[];
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([\w.]+)[ \t]*=/;

/** Matches an unquoted value with a `#` in a word: the value ends before it. */
const TRUNCATED_VALUE = /^[^'"`#]*[^\s'"`#]#/;

/**
 * Reads a file of `NAME=value` lines, like `--env-file` of Node.js. Byte order marks are ignored, and any line ending
 * is accepted.
 *
 * @returns no variables when the file does not exist
 * @throws ConfigError when the file is not UTF-8, or has a line that is not an assignment
 */
export function readEnvFile(path: string): EnvFile {
  const text = decode(path, readContents(path)).replaceAll(/\r\n?/g, '\n');
  const warnings: string[] = [];
  for (const [index, line] of emptyQuotedValues(text).split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const name = ASSIGNMENT.exec(line)?.[1];
    if (!name) throw new ConfigError(`Line ${index + 1} of ${path} must be NAME=value.`);
    if (TRUNCATED_VALUE.test(line.slice(line.indexOf('=') + 1)))
      warnings.push(`The value of ${name} in ${path} ends before the #: put it in quotes if the # is a part of it.`);
  }
  return { variables: parseEnv(text) as Record<string, string>, warnings };
}

function readContents(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return Buffer.alloc(0);
    throw new ConfigError(`${path} must be a file that can be read: ${message}.`);
  }
}

function decode(path: string, bytes: Buffer): string {
  if (bytes.includes(0) || /^(?:\xFF\xFE|\xFE\xFF)/.test(bytes.toString('latin1', 0, 2)))
    throw new ConfigError(`${path} must be saved as UTF-8: it is UTF-16, which some editors call Unicode.`);
  try {
    // A file that was concatenated from several has byte order marks in the middle, too.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll(/^\uFEFF+/gm, '');
  } catch {
    throw new ConfigError(`${path} must be saved as UTF-8: it has bytes that are not.`);
  }
}

/** Empties all quoted values, which may contain anything. Their line breaks stay, so that line numbers are right. */
function emptyQuotedValues(text: string): string {
  return text.replaceAll(/(=[ \t]*)(["'`])([\s\S]*?)\2/g, (_, equals: string, quote: string, value: string) => {
    return equals + quote + quote + value.replaceAll(/[^\n]/g, '');
  });
}

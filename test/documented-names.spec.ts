import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Move,
  type PhoneCallStatus,
  endedStatuses,
  phoneCallMoves,
} from '../src/phone-calls/phone-call.machine.js';

const project = join(import.meta.dirname, '..');
const pages = ['README.md', 'CONTRIBUTING.md', ...filesOf('docs', /\.md$/)];
const sources = filesOf('src', /\.ts$/);
const identifiers = new Set(sources.flatMap((path) => read(path).match(/\w+/g) ?? []));

/** What the pages mention although the repository does not have it: the data of an installation, and an example. */
const ELSEWHERE = /^data\/|\bwater-level\.call-flow\.ts$/;

/** `jobs/sweeper.ts`, `sweeper.ts` or `jobs/`. */
const PATH = /(?<![\w*./-])((?:[a-z][\w-]*\/)*[a-z][\w.-]*\.(?:ts|mjs)|(?:[a-z][\w-]*\/)+)(?![\w/*])/g;

/** `UnitOfWork.run`, `setClause`, `MAX_WAITING` or `@Public()`: names with humps or underscores, and decorators. */
const IDENTIFIER =
  /`(?:@(?=\w+\(?\)?`)|(?=[\w.]*[a-z][A-Z])|(?=[A-Z]+_[A-Z_]+`))([A-Za-z]\w*(?:\.\w+)*)(?:\(\)|<\w+>)?`/g;

const LINK = /\]\((?!https?:)([^)#\s]+)[^)]*\)/g;

function read(path: string): string {
  return readFileSync(join(project, path), 'utf8');
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The files in a folder whose names match, relative to the project. */
function filesOf(folder: string, name: RegExp): string[] {
  const found = readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' });
  return found.filter((file) => name.test(file)).map((file) => join(folder, file));
}

function matches(page: string, pattern: RegExp): string[] {
  return Array.from(read(page).matchAll(pattern), ([, match]) => match!);
}

/** Whether a page may mention a path: one of the project or of `src/`, or the name of a source file. */
function isKnown(path: string): boolean {
  const isFile = [path, join('src', path)].some((one) => existsSync(join(project, one)));
  return isFile || sources.some((source) => source.endsWith(`/${path}`)) || ELSEWHERE.test(path);
}

describe.each(pages)('%s', (page) => {
  it('mentions only files and folders that exist', () => {
    expect(matches(page, PATH).filter((path) => !isKnown(path))).toEqual([]);
  });

  it('mentions only identifiers of the code', () => {
    const names = matches(page, IDENTIFIER).flatMap((code) => code.split('.'));
    expect(names.filter((name) => !identifiers.has(name))).toEqual([]);
  });

  it('links only to files that exist', () => {
    expect(matches(page, LINK).filter((link) => !existsSync(join(project, page, '..', link)))).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  /** The texts of the code, with the patterns of those that have variable parts. */
  const texts = sources.flatMap((path) =>
    Array.from(read(path).matchAll(/`([^`\n]{10,})`|'([^'\n]{10,})'/g), ([, template, plain]) => template ?? plain!),
  );
  const patterns = texts
    .filter((text) => text.replaceAll(/\$\{[^}]*\}/g, '').length > 8)
    .map(
      (text) =>
        new RegExp(
          `^${text
            .split(/\$\{[^}]*\}/)
            .map(escaped)
            .join('.+')}$`,
        ),
    );

  it('lists log lines that the program writes', () => {
    const rows = matches('docs/operations.md', /^\| (`.*`) +\| [345]0 /gm);
    const lines = rows.flatMap((row) => Array.from(row.matchAll(/`([^`]+)`/g), ([, line]) => line!));
    const isWritten = (line: string): boolean =>
      texts.some((text) => text.startsWith(line.replace(/…$/, ''))) || patterns.some((pattern) => pattern.test(line));
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.filter((line) => !isWritten(line))).toEqual([]);
  });
});

describe('the diagram of phone calls in docs/architecture.md', () => {
  const groups: Readonly<Record<string, readonly PhoneCallStatus[]>> = {
    at_provider: ['remotely_queued', 'remote_fetch_queued', 'in_progress'],
    ended: endedStatuses.filter((status) => status !== 'errored'),
  };
  const statusesOf = (node: string): readonly string[] => groups[node] ?? [node];
  const diagrams = matches('docs/architecture.md', /^stateDiagram-v2\n(.*?)^```/gms);
  const diagram = diagrams.find((text) => text.includes('remotely_queued')) ?? '';
  const arrows = Array.from(diagram.matchAll(/(\S+) --> (\w+): (.+)/g), ([, from = '', to = '', moves = '']) => ({
    from,
    to,
    moves: moves.split(', '),
  }));

  it('shows each move where the machine has it', () => {
    const wrong = arrows.flatMap(({ from, to, moves }) =>
      moves.filter((name) => {
        const move: Move | undefined = phoneCallMoves[name as keyof typeof phoneCallMoves];
        const begins =
          from === '[*]' ? move?.from.length === 0 : move?.from.some((one) => statusesOf(from).includes(one));
        return !begins || !move?.to.some((one) => statusesOf(to).includes(one));
      }),
    );
    expect(arrows.length).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
  });

  it('shows every move that changes the status', () => {
    const shown = new Set(arrows.flatMap(({ moves }) => moves));
    const changing = Object.entries<Move>(phoneCallMoves).filter(([, { from, to }]) =>
      to.some((status) => !(from.length === 1 && from[0] === status)),
    );
    expect(changing.map(([name]) => name).filter((name) => !shown.has(name))).toEqual([]);
  });
});

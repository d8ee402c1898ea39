import { toAsciiDigits } from './decimal-digits.js';

/** What stands between two groups of digits. A bracket counts as a space: `(10) 202` is grouped like `10 202`. */
export type Separator = 'space' | 'dash' | 'dot';

/** A phone number as it was written. */
export interface Spelling {
  /** Groups of ASCII digits, without the international prefix (`+` or `00`). */
  groups: string[];
  /** The separators: `separators[i]` stands between `groups[i]` and `groups[i + 1]`. */
  separators: Separator[];
  /** Whether the text says, by `+` or `00`, that it begins with a country code. */
  isInternational: boolean;
  /** The group that is a trunk zero in brackets: `+44 (0)20 …`. Absent when there is none. */
  trunkZero?: number;
}

/** Longer texts are never a phone number. It bounds what a hostile text costs. */
const MAX_LENGTH = 100;

/** Digits in one piece: what most callers send. */
const PLAIN = /^ ?(\+|00|)([1-9]\d+)$/;

const ASCII = /^[\x20-\x7E]*$/;

/** What a reader cannot see: direction marks, joiners, variation selectors, the byte order mark … */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const SPACES = /\p{Zs}/gu;
/** Unicode's dashes, and the minus, the hyphen bullet and the Japanese prolonged sound mark that are used as one. */
const DASHES = /[\p{Pd}\u2212\u2043\u30FC]/gu;
/** The full stop, and the middle dots and bullets that are used as one. */
const DOTS = /[.\u00B7\u2022\u2024\u2027\u2219\u22C5\u30FB\uFE52\uFF0E]/gu;
const PLUS_SIGNS = /[+\uFF0B\uFE62]/gu;

const APOSTROPHES = /[\u2018\u2019\uFF07]/gu;

/** A spreadsheet's mark for text, or the scheme of RFC 3966. */
const PREFIX = /^(?:'|tel:) */i;

const BEFORE_FIRST_GROUP = /^(?:\+? *\(?|\( *\+) *$/;
const BETWEEN_GROUPS = /^ *(?:\) *)?[-.]? *(?:\( *)?$/;

/**
 * Takes a text apart into groups of digits and separators.
 *
 * @returns undefined when the text holds anything that is not part of a phone number, or holds it in a place where it does
 *   not belong
 */
export function readSpelling(text: string): Spelling | undefined {
  const plain = PLAIN.exec(text);
  if (plain) return { groups: [plain[2]!], separators: [], isInternational: plain[1] !== '' };
  if (text.length > MAX_LENGTH) return undefined;
  const [lead = '', ...rest] = withoutOuterBrackets(normalize(text)).split(/(\d+)/);
  if (!BEFORE_FIRST_GROUP.test(lead) || rest.at(-1) !== '') return undefined;
  const groups = rest.filter((_, index) => index % 2 === 0);
  // Without the empty text after the last group.
  const gaps = rest.filter((_, index) => index % 2 === 1).slice(0, -1);
  if (!gaps.every((gap) => BETWEEN_GROUPS.test(gap)) || !hasPairedBrackets([lead, ...gaps])) return undefined;
  const spelling: Spelling = {
    groups,
    separators: gaps.map(kindOf),
    isInternational: lead.includes('+'),
    trunkZero: trunkZero(groups, gaps),
  };
  return spelling.isInternational ? spelling : withoutDoubleZero(spelling);
}

function normalize(text: string): string {
  return (ASCII.test(text) ? text : toAscii(text)).trim().replace(PREFIX, '');
}

/** With ASCII's digits, spaces, dashes, dots, plus signs, brackets and apostrophes instead of all others. */
function toAscii(text: string): string {
  return toAsciiDigits(text.replace(INVISIBLE, ''))
    .replace(SPACES, ' ')
    .replace(DASHES, '-')
    .replace(DOTS, '.')
    .replace(PLUS_SIGNS, '+')
    .replaceAll('\uFF08', '(')
    .replaceAll('\uFF09', ')')
    .replace(APOSTROPHES, "'");
}

function withoutOuterBrackets(text: string): string {
  return /^\(([^()]+)\)$/.exec(text)?.[1] ?? text;
}

/** Brackets come in pairs, and hold one group, or a country code and an area code: `(+55 11) 91234-5678`. */
function hasPairedBrackets(gaps: string[]): boolean {
  return /^(?:[^()]|\([^()]?\))*$/.test(gaps.map(bracketsOf).join(''));
}

/** The brackets of a gap, or a dot for none. */
function bracketsOf(gap: string): string {
  return gap.replaceAll(/[^()]/g, '') || '.';
}

function kindOf(gap: string): Separator {
  if (gap.includes('-')) return 'dash';
  return gap.includes('.') ? 'dot' : 'space';
}

function trunkZero(groups: string[], gaps: string[]): number | undefined {
  const index = groups.findIndex(
    (group, at) => group === '0' && gaps[at - 1]?.includes('(') && gaps[at]?.includes(')'),
  );
  return index < 0 ? undefined : index;
}

function withoutDoubleZero({ groups, separators, trunkZero }: Spelling): Spelling {
  const [first = '', ...rest] = groups;
  if (!first.startsWith('00')) return { groups, separators, isInternational: false, trunkZero };
  if (first.length > 2) return { groups: [first.slice(2), ...rest], separators, isInternational: true, trunkZero };
  return {
    groups: rest,
    separators: separators.slice(1),
    isInternational: true,
    trunkZero: trunkZero === undefined ? undefined : trunkZero - 1,
  };
}

import { toAsciiDigits } from './decimal-digits.js';

/** The separator between two groups of digits. A bracket counts as a space: `(10) 202` is grouped like `10 202`. */
type Separator = 'space' | 'dash' | 'dot';

/** A phone number as it was written. */
export interface Spelling {
  /** Groups of ASCII digits, without the international prefix (`+` or `00`). */
  groups: string[];
  /** The separators: `separators[i]` is between `groups[i]` and `groups[i + 1]`. */
  separators: Separator[];
  /** Whether `+` or `00` marks a country code at the beginning. */
  isInternational: boolean;
  /** The index of the group that is a trunk zero in brackets, as in `+44 (0)20 …`. */
  trunkZero?: number;
}

/** Longer texts are not parsed, which bounds the cost of hostile input. */
const MAX_LENGTH = 100;

/** The most frequent spelling, for a fast path: digits without separators. */
const PLAIN = /^ ?(\+|00|)([1-9]\d+)$/;

const ASCII = /^[\x20-\x7E]*$/;

/** Invisible characters: direction marks, joiners, variation selectors, the byte order mark … */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const SPACES = /\p{Zs}/gu;
/**
 * Unicode's dashes, and characters that are used like one: the minus, the hyphen bullet, the Japanese prolonged sound
 * mark.
 */
const DASHES = /[\p{Pd}\u2212\u2043\u30FC]/gu;
/** The full stop, and the middle dots and bullets that are used like one. */
const DOTS = /[.\u00B7\u2022\u2024\u2027\u2219\u22C5\u30FB\uFE52\uFF0E]/gu;
const PLUS_SIGNS = /[+\uFF0B\uFE62]/gu;

const APOSTROPHES = /[\u2018\u2019\uFF07]/gu;

/** The prefix with which spreadsheets mark text, or the URI scheme of RFC 3966. */
const PREFIX = /^(?:'|tel:) */i;

const BEFORE_FIRST_GROUP = /^(?:\+? *\(?|\( *\+) *$/;
const BETWEEN_GROUPS = /^ *(?:\) *)?[-.]? *(?:\( *)?$/;

/**
 * Splits a text into groups of digits and separators.
 *
 * @returns undefined if the text contains anything that is not part of a phone number, or contains it in the wrong
 *   place
 */
export function parseSpelling(text: string): Spelling | undefined {
  const plain = PLAIN.exec(text);
  if (plain) return { groups: [plain[2]!], separators: [], isInternational: plain[1] !== '' };
  if (text.length > MAX_LENGTH) return undefined;
  const [lead = '', ...rest] = withoutOuterBrackets(normalize(text)).split(/(\d+)/);
  if (!BEFORE_FIRST_GROUP.test(lead) || rest.at(-1) !== '') return undefined;
  const groups = rest.filter((_, index) => index % 2 === 0);
  // The last gap is the empty text after the last group.
  const gaps = rest.filter((_, index) => index % 2 === 1).slice(0, -1);
  if (!gaps.every((gap) => BETWEEN_GROUPS.test(gap)) || !hasPairedBrackets([lead, ...gaps])) return undefined;
  const spelling: Spelling = {
    groups,
    separators: gaps.map(separatorIn),
    isInternational: lead.includes('+'),
    trunkZero: findTrunkZero(groups, gaps),
  };
  return spelling.isInternational ? spelling : withoutDoubleZero(spelling);
}

function normalize(text: string): string {
  return (ASCII.test(text) ? text : toAscii(text)).trim().replace(PREFIX, '');
}

/** Replaces all digits, spaces, dashes, dots, plus signs, brackets and apostrophes with their ASCII counterparts. */
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

/**
 * Whether brackets come in pairs, around one group or around a country code and an area code: `(+55 11) 91234-5678`.
 */
function hasPairedBrackets(gaps: string[]): boolean {
  return /^(?:[^()]|\([^()]?\))*$/.test(gaps.map(bracketsOf).join(''));
}

/** The brackets of a gap; a dot if it has none. */
function bracketsOf(gap: string): string {
  return gap.replaceAll(/[^()]/g, '') || '.';
}

function separatorIn(gap: string): Separator {
  if (gap.includes('-')) return 'dash';
  return gap.includes('.') ? 'dot' : 'space';
}

function findTrunkZero(groups: string[], gaps: string[]): number | undefined {
  const index = groups.findIndex(
    (group, at) => group === '0' && gaps[at - 1]?.includes('(') && gaps[at]?.includes(')'),
  );
  return index < 0 ? undefined : index;
}

/** Removes a leading `00`, which makes the number international. */
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

import type { CallWindow, Day } from '../../src/dial-plans/call-windows.js';

const MINUTE = 60_000;
const DAY = 1_440;
const WEEKDAYS: Day[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** The days that are computed around the ones that a test asks about. */
const MARGIN = 3 * DAY;

/**
 * The slow, obvious model of call windows: a list of the minutes of some days, each with what the clocks of a zone show
 * then, according to `Intl`. Nothing is computed with offsets: opening times are found by looking through the list.
 */
export class WallClock {
  /** The first minute of the list, in minutes since 1970 (UTC). */
  private readonly start: number;
  /** What the clocks show, in minutes since 1970 (local time). */
  private readonly shown: number[];

  /**
   * @param from the first instant that the test asks about
   * @param days how many days it asks about
   */
  constructor(zone: string, from: Date, days: number) {
    this.start = Math.floor(from.getTime() / MINUTE) - MARGIN;
    this.shown = readMinutes(zone, this.start, days * DAY + 2 * MARGIN);
  }

  /** Marks the minutes at which the windows are open. */
  openMinutes(windows: readonly CallWindow[]): OpenMinutes {
    const open = this.shown.map(() => windows.length === 0);
    const firstDay = Math.floor(Math.min(...this.shown.slice(0, DAY)) / DAY) + 1;
    const lastDay = Math.floor(this.shown.at(-1)! / DAY) - 2;
    for (let day = firstDay; day <= lastDay; day++) {
      const weekday = WEEKDAYS[new Date(day * DAY * MINUTE).getUTCDay()]!;
      for (const { from, to, days } of windows) {
        if (days && !days.includes(weekday)) continue;
        const end = to > from ? day : day + 1;
        open.fill(true, this.firstAt(day * DAY + minutes(from)), this.lastAt(end * DAY + minutes(to)));
      }
    }
    return new OpenMinutes(this.start, open);
  }

  /** @returns where the clocks show a time first; for a time that they skip, where they are past it */
  private firstAt(time: number): number {
    const at = this.shown.indexOf(time);
    return at >= 0 ? at : this.shown.findIndex((one) => one > time);
  }

  /** @returns where the clocks show a time last; for a time that they skip, where they are past it */
  private lastAt(time: number): number {
    const at = this.shown.lastIndexOf(time);
    return at >= 0 ? at : this.shown.findIndex((one) => one > time);
  }
}

/** The minutes at which people may be called. */
export class OpenMinutes {
  constructor(
    private readonly start: number,
    private readonly open: readonly boolean[],
  ) {}

  /** The end of what the model knows. */
  get end(): number {
    return (this.start + this.open.length - MARGIN) * MINUTE;
  }

  isOpen(at: number): boolean {
    return this.open[this.index(at)]!;
  }

  /** Whether all minutes of a call that rings from `at` are open. */
  mayRing(at: number, seconds: number): boolean {
    const end = this.index(Math.max(at, at + seconds * 1_000 - 1));
    for (let index = this.index(at); index <= end; index++) if (!this.open[index]) return false;
    return true;
  }

  /** Looks at `at`, and at each minute after it. @returns undefined when the model does not know */
  nextOpening(at: number, seconds: number): number | undefined {
    for (let time = at; time < this.end; time = nextMinute(time)) if (this.mayRing(time, seconds)) return time;
    return undefined;
  }

  /** @returns undefined when the model does not know */
  closesAt(at: number): number | undefined {
    for (let time = nextMinute(at); time < this.end; time = nextMinute(time)) if (!this.isOpen(time)) return time;
    return undefined;
  }

  private index(at: number): number {
    return Math.floor(at / MINUTE) - this.start;
  }
}

function nextMinute(at: number): number {
  return (Math.floor(at / MINUTE) + 1) * MINUTE;
}

function minutes(time: string): number {
  const [hours, rest] = time.split(':').map(Number);
  return hours! * 60 + rest!;
}

/** What the clocks show, hour by hour, and minute by minute in the hours in which they are set. */
function readMinutes(zone: string, start: number, count: number): number[] {
  const shown: number[] = [];
  for (let hour = 0, first = clockAt(zone, start), next = first; hour < count; hour += 60, first = next) {
    next = clockAt(zone, start + hour + 60);
    const isRegular = next === first + 60;
    for (let minute = 0; minute < 60; minute++) {
      shown.push(isRegular ? first + minute : clockAt(zone, start + hour + minute));
    }
  }
  return shown;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** @returns what the clocks of a zone show at a minute since 1970 (UTC), in minutes since 1970 (local time) */
export function clockAt(zone: string, minute: number): number {
  const format = formats.get(zone) ?? newFormat(zone);
  formats.set(zone, format);
  // Swedish dates are written like 2026-03-29 02:30.
  return Date.parse(`${format.format(minute * MINUTE).replace(' ', 'T')}Z`) / MINUTE;
}

function newFormat(timeZone: string): Intl.DateTimeFormat {
  const twoDigits = { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
  return new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', ...twoDigits });
}

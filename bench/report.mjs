import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';

/** How the program's result and the baseline are compared with a goal. */
const comparisons = {
  'at least': ({ ours, baseline }) => ({ value: ours / baseline, meets: (value, goal) => value >= goal, unit: '×' }),
  'at most': ({ ours, baseline }) => ({ value: ours / baseline, meets: (value, goal) => value <= goal, unit: '×' }),
  'more than the baseline by at most': ({ ours, baseline }) => ({
    value: ours - baseline,
    meets: (value, goal) => value <= goal,
    unit: '',
  }),
  'by itself at most': ({ ours }) => ({ value: ours, meets: (value, goal) => value <= goal, unit: '' }),
};

const signs = {
  'at least': '≥',
  'at most': '≤',
  'more than the baseline by at most': '≤ +',
  'by itself at most': '≤',
};

/** The results: each is printed at once, and all are printed as a table and saved as JSON at the end. */
export class Report {
  rows = [];

  constructor(flags) {
    this.flags = flags;
  }

  /**
   * Adds a result and prints it.
   *
   * @param row `measure`, `way`, `unit`, `ours`; optionally `baseline`, `goal` as `[comparison, number]`, `memory`, and
   *   further properties for the JSON
   */
  add({ goal, memory, ...row }) {
    const { value, meets } = goal ? comparisons[goal[0]](row) : {};
    this.rows.push({
      ...row,
      ...(row.baseline !== undefined && { ratio: row.ours / row.baseline }),
      ...(goal && { goal: { comparison: goal[0], than: goal[1] }, met: meets(value, goal[1]) }),
      ...memory,
    });
    console.log(cellsOf(this.rows.at(-1)).join('  '));
  }

  print() {
    const table = [HEAD, HEAD.map(() => '---'), ...this.rows.map(cellsOf)];
    const widths = HEAD.map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
    const line = (cells) =>
      cells
        .map((cell, column) => (cell === '---' ? '-'.repeat(widths[column]) : cell.padEnd(widths[column])))
        .join(' | ');
    console.log(`\n${machine()}\n`);
    for (const cells of table) console.log(`| ${line(cells)} |`);
  }

  save(path) {
    mkdirSync(dirname(path), { recursive: true });
    const { flags, rows } = this;
    writeFileSync(path, `${JSON.stringify({ at: new Date(), machine: machine(), flags, rows }, undefined, 2)}\n`);
    console.log(`\nAlso in ${path}`);
  }
}

const HEAD = ['measure', 'way', 'ours', 'baseline', 'ratio', 'goal', 'met', 'peak MiB', 'grew MiB'];

function cellsOf({ measure, way, unit, ours, baseline, ratio, goal, met, peakMiB, growthMiB }) {
  return [
    measure,
    way,
    `${short(ours)} ${unit}`.trim(),
    baseline === undefined ? '' : `${short(baseline)} ${unit}`.trim(),
    ratio === undefined ? '' : ratio.toFixed(2),
    goal === undefined
      ? ''
      : `${signs[goal.comparison]} ${goal.than}${goal.comparison.startsWith('at') ? '' : ` ${unit}`}`.trim(),
    met === undefined ? '' : met ? 'yes' : 'NO',
    peakMiB === undefined ? '' : peakMiB.toFixed(0),
    growthMiB === undefined ? '' : growthMiB.toFixed(0),
  ];
}

function short(number) {
  return Math.abs(number) >= 100 ? number.toFixed(0) : Number(number.toPrecision(3)).toString();
}

function machine() {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`;
}

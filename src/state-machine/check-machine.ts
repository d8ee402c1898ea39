/** A state machine is defined inconsistently. `message` is one sentence that says where. */
export class StateMachineError extends Error {}

interface Move {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly stays?: readonly string[];
  readonly sets: readonly string[];
  readonly requires?: readonly string[];
}

/** A state machine whose rows have bookkeeping columns besides their status. */
export interface Machine {
  /** The plural name of its rows, for error messages. */
  name: string;
  statuses: readonly string[];
  /** For each status, what each bookkeeping column contains. */
  bookkeeping: Readonly<Record<string, Readonly<Record<string, 'null' | 'zero' | 'set' | 'any'>>>>;
  moves: Readonly<Record<string, Move>>;
  /** The bookkeeping columns. */
  columns: readonly string[];
  /** The bookkeeping columns that follow from the status alone, so that no move supplies them. */
  derivedColumns?: readonly string[];
  /** Every column of the table. */
  tableColumns: readonly string[];
}

/**
 * Checks that the definition of a state machine is consistent: each status has bookkeeping and is reachable, each
 * column exists, and each move sets the columns that its new status requires.
 * @throws StateMachineError
 */
export function checkMachine(machine: Machine): void {
  checkBookkeeping(machine);
  for (const [name, move] of Object.entries(machine.moves)) checkMove(machine, name, move);
  checkReachability(machine);
}

function checkBookkeeping({ name, statuses, bookkeeping, columns, tableColumns }: Machine): void {
  for (const column of columns) {
    assert(tableColumns.includes(column), `${name} have no column ${column}`);
  }
  for (const status of statuses) {
    const rules = bookkeeping[status];
    assert(rules !== undefined, `the status ${status} of ${name} has no bookkeeping`);
    const missing = columns.find((column) => rules[column] === undefined);
    assert(missing === undefined, `the status ${status} of ${name} does not say what ${missing} holds`);
  }
}

function checkMove(machine: Machine, move: string, { from, to, stays = [], sets, requires = [] }: Move): void {
  const { name, statuses, bookkeeping, derivedColumns = [] } = machine;
  const columns = machine.columns.filter((column) => !derivedColumns.includes(column));
  const unknownStatus = [...from, ...to, ...stays].find((status) => !statuses.includes(status));
  assert(
    unknownStatus === undefined,
    `the move ${move} of ${name} names the status ${unknownStatus}, which does not exist`,
  );
  const unknownColumn = [...sets, ...requires].find((column) => !columns.includes(column));
  assert(
    unknownColumn === undefined,
    `the move ${move} of ${name} names ${unknownColumn}, which is no bookkeeping column`,
  );
  const unexpected = stays.find((status) => !from.includes(status));
  assert(
    unexpected === undefined,
    `the move ${move} of ${name} cannot leave a row in ${unexpected}: it does not begin there`,
  );
  for (const column of columns) {
    if (sets.includes(column)) {
      const isUsed = [...to, ...stays].some((status) => ['set', 'any'].includes(bookkeeping[status]![column]!));
      assert(isUsed, `the move ${move} of ${name} sets ${column}, which no status has that it leads to`);
      continue;
    }
    const isSet =
      requires.includes(column) || (from.length > 0 && from.every((one) => bookkeeping[one]![column] === 'set'));
    const requiring = to.find((status) => bookkeeping[status]![column] === 'set');
    assert(
      isSet || requiring === undefined,
      `the move ${move} of ${name} leads to ${requiring} without setting ${column}`,
    );
  }
}

function checkReachability({ name, statuses, moves }: Machine): void {
  const reached = new Set<string>();
  const all = Object.values(moves);
  for (let size = -1; size < reached.size;) {
    size = reached.size;
    for (const { from, to } of all) {
      if (from.length === 0 || from.some((status) => reached.has(status))) for (const status of to) reached.add(status);
    }
  }
  const unreached = statuses.find((status) => !reached.has(status));
  assert(unreached === undefined, `no move of ${name} leads to the status ${unreached}`);
}

function assert(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new StateMachineError(`The state machine is wrong: ${sentence}.`);
}

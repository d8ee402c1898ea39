/** One way in which an event moves a row. */
interface Branch<State extends string> {
  /** The states from which it is possible. */
  readonly from: readonly State[];
  /** The state to which it leads. */
  readonly to: State;
  /** The name of the condition on which this branch depends. Without it, the branch is always possible. */
  readonly when?: string;
}

/**
 * A state machine as a table: for each event, the states from which it is possible and the state to which it leads. An
 * event with several targets has several branches, of which the first possible one counts.
 */
export type Transitions<State extends string> = Readonly<Record<string, Branch<State> | readonly Branch<State>[]>>;

/** The names of the conditions that are true for a row. */
export type Conditions = ReadonlySet<string>;

const NONE: Conditions = new Set();

/** @returns the state to which `event` leads from `state`; undefined when it is unknown or not possible there */
export function nextState<State extends string>(
  machine: Transitions<State>,
  state: State,
  event: unknown,
  conditions: Conditions = NONE,
): State | undefined {
  if (typeof event !== 'string' || !Object.hasOwn(machine, event)) return undefined;
  return [machine[event]!]
    .flat()
    .find(({ from, when }) => from.includes(state) && (when === undefined || conditions.has(when)))?.to;
}

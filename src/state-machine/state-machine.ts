/** A state machine as a table: for each event, the states from which it is possible and the state to which it leads. */
export type Transitions<State extends string> = Readonly<
  Record<string, { readonly from: readonly State[]; readonly to: State }>
>;

/** @returns the state to which `event` leads from `state`; undefined when it is unknown or not possible there */
export function nextState<State extends string>(
  machine: Transitions<State>,
  state: State,
  event: unknown,
): State | undefined {
  if (typeof event !== 'string' || !Object.hasOwn(machine, event)) return undefined;
  const transition = machine[event];
  return transition?.from.includes(state) ? transition.to : undefined;
}

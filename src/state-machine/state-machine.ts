/** A state machine as a table: for each event, the states in which it may happen and the one that it leads to. */
export type Transitions<State extends string> = Readonly<
  Record<string, { readonly from: readonly State[]; readonly to: State }>
>;

/** Where `event` leads from `state`, or undefined when there is no such event or it cannot happen there. */
export function nextState<State extends string>(
  machine: Transitions<State>,
  state: State,
  event: unknown,
): State | undefined {
  if (typeof event !== 'string' || !Object.hasOwn(machine, event)) return undefined;
  const transition = machine[event];
  return transition?.from.includes(state) ? transition.to : undefined;
}

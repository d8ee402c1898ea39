/** The call flows that there are, by name; each has one class beside this file. */
export const callFlowNames = ['CallFlowLogic::Application'] as const;
export type CallFlowName = (typeof callFlowNames)[number];

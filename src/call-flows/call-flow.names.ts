/** The call flows that there are, by name; each has one class beside this file. */
export const callFlowNames = [
  'CallFlowLogic::Application',
  'CallFlowLogic::PlayMessage',
  'CallFlowLogic::Registration',
] as const;
export type CallFlowName = (typeof callFlowNames)[number];

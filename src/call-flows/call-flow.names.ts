/** The names of all call flows. Each has one class in this folder, listed in `call-flow-registry.ts`. */
export const callFlowNames = [
  'CallFlowLogic::Application',
  'CallFlowLogic::PlayMessage',
  'CallFlowLogic::Registration',
] as const;
export type CallFlowName = (typeof callFlowNames)[number];

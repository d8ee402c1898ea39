/** The call flows that there are, by name. What they say on the phone comes with phone calls. */
export const callFlowNames = ['CallFlowLogic::Application'] as const;

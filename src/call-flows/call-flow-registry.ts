import { Injectable } from '@nestjs/common';
import { ApplicationCallFlow } from './application.call-flow.js';
import type { CallFlow } from './call-flow.js';
import { CallFlowSettings } from './call-flow-settings.js';
import { type CallFlowName, callFlowNames } from './call-flow.names.js';
import { PlayMessageCallFlow } from './play-message.call-flow.js';
import { RegistrationCallFlow } from './registration.call-flow.js';

/** All call flows by name. The constructor throws, and so the program does not start, if a name has no class. */
@Injectable()
export class CallFlowRegistry {
  private readonly byName: Map<CallFlowName, CallFlow>;

  constructor(
    private readonly settings: CallFlowSettings,
    application: ApplicationCallFlow,
    playMessage: PlayMessageCallFlow,
    registration: RegistrationCallFlow,
  ) {
    const flows: CallFlow[] = [application, playMessage, registration];
    this.byName = new Map(flows.map((flow) => [flow.name, flow]));
    for (const name of callFlowNames) this.get(name);
  }

  /** @throws Error if no class has this name */
  get(name: CallFlowName): CallFlow {
    const flow = this.byName.get(name);
    if (!flow) throw new Error(`No call flow is called ${name}`);
    return flow;
  }

  /**
   * Selects the flow of a call.
   * @param names the configured names, most specific first; null and undefined are skipped
   * @returns the flow with the first name; the default flow if no name is given or the first one is unknown
   */
  resolve(...names: (string | null | undefined)[]): CallFlow {
    const first = names.find((name) => name !== null && name !== undefined);
    return this.get(callFlowNames.find((name) => name === first) ?? this.settings.defaultCallFlow);
  }
}

import { Injectable } from '@nestjs/common';
import { ApplicationCallFlow } from './application.call-flow.js';
import type { CallFlow } from './call-flow.js';
import { CallFlowSettings } from './call-flow-settings.js';
import { type CallFlowName, callFlowNames } from './call-flow.names.js';
import { PlayMessageCallFlow } from './play-message.call-flow.js';
import { RegistrationCallFlow } from './registration.call-flow.js';

/** Every call flow, by its name. The program does not start while a name has none. */
@Injectable()
export class CallFlows {
  private readonly byName: Map<CallFlowName, CallFlow>;

  constructor(
    private readonly settings: CallFlowSettings,
    application: ApplicationCallFlow,
    playMessage: PlayMessageCallFlow,
    registration: RegistrationCallFlow,
  ) {
    const flows: CallFlow[] = [application, playMessage, registration];
    this.byName = new Map(flows.map((flow) => [flow.name, flow]));
    for (const name of callFlowNames) this.of(name);
  }

  of(name: CallFlowName): CallFlow {
    const flow = this.byName.get(name);
    if (!flow) throw new Error(`No call flow is called ${name}`);
    return flow;
  }

  /** The flow that goes by the first of `names` that is given; else the installation's default. */
  chosen(...names: (string | null | undefined)[]): CallFlow {
    const given = names.find((name) => name !== null && name !== undefined);
    return this.of(callFlowNames.find((name) => name === given) ?? this.settings.defaultCallFlow);
  }
}

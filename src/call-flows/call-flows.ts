import { Injectable } from '@nestjs/common';
import { ApplicationCallFlow } from './application.call-flow.js';
import type { CallFlow } from './call-flow.js';
import { type CallFlowName, callFlowNames } from './call-flow.names.js';

/** Every call flow, by its name. The program does not start while a name has none. */
@Injectable()
export class CallFlows {
  private readonly byName: Map<CallFlowName, CallFlow>;

  constructor(application: ApplicationCallFlow) {
    this.byName = new Map<CallFlowName, CallFlow>([application].map((flow) => [flow.name, flow]));
    for (const name of callFlowNames) this.of(name);
  }

  of(name: CallFlowName): CallFlow {
    const flow = this.byName.get(name);
    if (!flow) throw new Error(`No call flow is called ${name}`);
    return flow;
  }
}

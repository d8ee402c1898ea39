import { Injectable } from '@nestjs/common';
import { CallFlow, type Reply } from './call-flow.js';
import { letGo } from './question.js';

/** The default: greets whoever is there, and hangs up. */
@Injectable()
export class ApplicationCallFlow extends CallFlow {
  readonly name = 'CallFlowLogic::Application';

  answer(): Reply {
    return { twiml: letGo(['Hello. This is the Simple Call Flow Manager. Goodbye.']) };
  }
}

import { Injectable } from '@nestjs/common';
import { CallFlow, type Reply } from './call-flow.js';
import { sayAndHangUp } from './question.js';

/** The default flow: greets, and hangs up. */
@Injectable()
export class ApplicationCallFlow extends CallFlow {
  readonly name = 'CallFlowLogic::Application';

  reply(): Reply {
    return { twiml: sayAndHangUp(['Hello. This is the Simple Call Flow Manager. Goodbye.']) };
  }
}

import { Injectable } from '@nestjs/common';
import twilio from 'twilio';
import { CallFlow } from './call-flow.js';

/** The default: greets whoever is there, and hangs up. */
@Injectable()
export class ApplicationCallFlow extends CallFlow {
  readonly name = 'CallFlowLogic::Application';

  answer(): string {
    const response = new twilio.twiml.VoiceResponse();
    response.say('Hello. This is the Simple Call Flow Manager. Goodbye.');
    response.hangup();
    return response.toString();
  }
}

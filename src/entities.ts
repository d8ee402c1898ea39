import { BatchOperation } from './batch-operations/batch-operation.entity.js';
import { CalloutParticipation } from './callout-participations/callout-participation.entity.js';
import { Callout } from './callouts/callout.entity.js';
import { Contact } from './contacts/contact.entity.js';
import { Event } from './events/event.entity.js';
import { RateLimitRow } from './dialing/rate-limit.entity.js';
import { PhoneCall } from './phone-calls/phone-call.entity.js';
import { Recall } from './recalls/recall.entity.js';
import { RecalledCall } from './recalls/recalled-call.entity.js';
import { RemotePhoneCallEvent } from './webhooks/remote-phone-call-event.entity.js';
import { StoredSetting } from './database/stored-setting.entity.js';

/** The entities of all features, one for each table. */
export const entities = [
  Contact,
  Callout,
  CalloutParticipation,
  BatchOperation,
  PhoneCall,
  RemotePhoneCallEvent,
  RateLimitRow,
  StoredSetting,
  Event,
  Recall,
  RecalledCall,
];

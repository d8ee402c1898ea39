import { calloutParticipationResource } from '../../callout-participations/callout-participation.resource.js';
import { contactResource } from '../../contacts/contact.resource.js';
import { phoneCallResource } from '../../phone-calls/phone-call.resource.js';

/** The records that a batch operation may list: those it would touch (preview), those it has touched (results). */
export const listedResources = {
  contacts: contactResource,
  callout_participations: calloutParticipationResource,
  phone_calls: phoneCallResource,
};
export type Listed = keyof typeof listedResources;

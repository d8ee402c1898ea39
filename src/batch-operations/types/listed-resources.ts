import { calloutParticipationResource } from '../../callout-participations/callout-participation.resource.js';
import { contactResource } from '../../contacts/contact.resource.js';
import { phoneCallResource } from '../../phone-calls/phone-call.resource.js';

/** The resources that a batch operation can list, as its preview or as its results, by table. */
export const listedResources = {
  contacts: contactResource,
  callout_participations: calloutParticipationResource,
  phone_calls: phoneCallResource,
};
export type ListedTable = keyof typeof listedResources;

import type { ApiPropertyOptions } from '@nestjs/swagger';
import { dialPlanSchema } from '../dial-plans/dial-plan-errors.js';

// The OpenAPI schemas of the objects in a callout. Their examples can be sent as they are.

/** A boolean is stored as the client sent it, for example as `yes`. */
const boolean = {
  oneOf: [{ type: 'boolean' as const }, { type: 'string' as const }, { type: 'integer' as const }],
  default: false,
};

export const audience = {
  type: 'object' as const,
  nullable: true,
  properties: {
    contact_filter_params: {
      type: 'object' as const,
      description: 'The filters of `GET /api/contacts`. Without filters, all contacts are called.',
      properties: {},
      additionalProperties: true,
    },
    include_do_not_call: { ...boolean, description: 'Whether people who opted out are called, too.' },
    keep_adding: {
      ...boolean,
      description:
        'Whether the population runs again every minute while the callout runs, so that people who register meanwhile ' +
        'are called, too.',
    },
  },
  additionalProperties: false,
  example: { contact_filter_params: { metadata: { province: 'Pursat' } }, keep_adding: true },
} satisfies ApiPropertyOptions;

export const dialPlan = {
  ...(dialPlanSchema as { type: 'object'; properties: Record<string, never>; required: string[] }),
  nullable: true,
  example: {
    remote_request_params: { from: '2442', timeout: 30 },
    until: 'confirmed',
    max_attempts: 4,
    retries: {
      busy: { max: 3, after: [120, 300] },
      not_answered: { max: 2, after: [900] },
      answered: { max: 1, after: [1_800] },
    },
    call_windows: [
      { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '20:00' },
      { days: ['sat', 'sun'], from: '10:00', to: '18:00' },
    ],
    time_zone: 'Asia/Phnom_Penh',
    time_zone_key: 'time_zone',
    max_calls_in_flight: 50,
    calls_per_second: 2,
  },
} satisfies ApiPropertyOptions;

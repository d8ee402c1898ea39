import sql from 'sql-template-tag';
import { Entity } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { idFilter } from '../src/api/filters/attribute-filters.js';
import { timeFilters } from '../src/api/filters/time-filter.js';
import { defineResource } from '../src/api/resources/define-resource.js';
import { batchOperationResource } from '../src/batch-operations/batch-operation.resource.js';
import { calloutParticipationResource } from '../src/callout-participations/callout-participation.resource.js';
import { calloutResource } from '../src/callouts/callout.resource.js';
import { contactResource } from '../src/contacts/contact.resource.js';
import {
  BigIntColumn,
  IdColumn,
  JsonColumn,
  OptionalTimestampColumn,
  TextColumn,
  TimestampColumn,
} from '../src/database/columns.js';
import { IsAnything } from '../src/api/rules.js';
import { phoneCallResource } from '../src/phone-calls/phone-call.resource.js';
import { remotePhoneCallEventResource } from '../src/webhooks/remote-phone-call-event.resource.js';

@Entity('shelters')
class Shelter {
  @IdColumn()
  id!: number;

  @TextColumn()
  name!: string;

  @JsonColumn()
  metadata!: object;

  @BigIntColumn({ nullable: true })
  region_id!: number | null;

  @BigIntColumn({ nullable: true })
  owner_id!: number | null;

  @OptionalTimestampColumn()
  opened_at!: Date | null;

  @TimestampColumn()
  created_at!: Date;

  street!: string;
}

class UpdateShelterDto {
  @IsAnything()
  name?: string;
}

const shelters = defineResource({
  entity: Shelter,
  update: UpdateShelterDto,
  attributes: {
    id: {},
    name: { column: sql`upper(shelters.name)` },
    metadata: {},
    region_id: { filter: idFilter },
    opened_at: { filter: timeFilters },
    created_at: {},
    label: {
      from: ['name', 'region_id'],
      present: ({ name, region_id }) => [name, region_id],
      schema: { type: 'array', items: {} },
    },
  },
  filters: { owner_id: { filter: idFilter } },
});

describe('a resource', () => {
  it('reads the columns of its attributes from the table of its entity', () => {
    expect([shelters.name, shelters.columns.text]).toEqual([
      'shelters',
      'shelters.id,upper(shelters.name) AS name,shelters.metadata,shelters.region_id,shelters.opened_at,' +
        'shelters.created_at,shelters.name,shelters.region_id',
    ]);
  });

  it('shows the attributes in the order of the list, each in the format of its column type', () => {
    const at = new Date('2026-11-27T10:00:00.5Z');
    const row = { created_at: at, opened_at: null, region_id: 3, metadata: '{"beds":40}', name: 'NORTH', id: 1 };
    expect(JSON.stringify(shelters.present({ ...row, owner_id: 9 }))).toBe(
      '{"id":1,"name":"NORTH","metadata":{"beds":40},"region_id":3,"opened_at":null,' +
        '"created_at":"2026-11-27T10:00:00.500Z","label":["NORTH",3]}',
    );
  });

  it('has the filters of its attributes and those on hidden columns', () => {
    expect(Object.keys(shelters.filters)).toEqual([
      'region_id',
      ...['before', 'or_before', 'after', 'or_after'].map((comparison) => `opened_at_${comparison}`),
      'owner_id',
    ]);
    expect(shelters.filters.owner_id!.condition(null).text).toBe('shelters.owner_id IS NULL');
  });

  it('has an OpenAPI model with the name of its entity', () => {
    expect(shelters.model.name).toBe('Shelter');
  });

  it('cannot show a property that is not a column', () => {
    const define = () =>
      defineResource({ entity: Shelter, update: UpdateShelterDto, attributes: { id: {}, street: {} } });
    expect(define).toThrow('Shelter has no column street');
  });

  it.each([
    [shelters, ['name']],
    [contactResource, ['msisdn', 'metadata']],
    [calloutResource, ['call_flow_logic', 'metadata', 'priority', 'audience', 'dial_plan', 'starts_at', 'expires_at']],
    [calloutParticipationResource, ['msisdn', 'call_flow_logic', 'metadata']],
    [phoneCallResource, ['msisdn', 'metadata', 'remote_request_params', 'call_flow_logic']],
    [batchOperationResource, ['parameters', 'metadata']],
    [remotePhoneCallEventResource, ['metadata']],
  ])('can change exactly the attributes of its update DTO: $name', ({ attributes }, writable) => {
    expect(attributes.filter((one) => one.writable).map(({ name }) => name)).toEqual(writable);
  });
});

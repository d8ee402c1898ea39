import { isDeepStrictEqual } from 'node:util';
import type { CheckedUpdate } from '../checked-body.js';
import { type FieldErrors, messages } from '../../errors/errors.js';
import type { MetadataDto } from '../metadata.dto.js';
import { type MergeMode, isJsonObject, isTooLarge, mergeMetadata } from '../../metadata/metadata.js';
import type { Resource, Row } from './resource.js';
import { entriesWithShownTypes, isSameValue, withShownTypes } from './same-value.js';

/** The changes that a body makes to a record. */
export interface Changes<Dto> {
  /** The attributes that change, with their new values. Metadata is already merged. */
  changes: Partial<Omit<Dto, 'metadata_merge_mode'>>;
  /** All errors in the body. */
  errors: FieldErrors;
}

/**
 * Compares a body with the record as the API shows it. A value that equals the shown one is neither a change nor an
 * error, even if the attribute is read-only or the value is invalid, because a client may read a record and send it
 * back. For the same reason, an inherited value, such as the call flow that a participation gets from its callout, is
 * not stored in the record.
 * @param shown the record, as `resource` shows it
 */
export function changesTo<Dto extends MetadataDto>(
  { attributes }: Resource<Dto>,
  shown: Row,
  { dto, errors: found, given, isForm }: CheckedUpdate<Dto>,
): Changes<Dto> {
  const changes: Row = {};
  const errors = { ...found };
  const { metadata_merge_mode: mode, ...values } = dto as MetadataDto & Row;
  for (const name of Object.keys(given)) {
    const attribute = attributes.find((one) => one.name === name);
    if (!attribute) continue;
    if (!attribute.writable) {
      if (isSameValue(shown[name], given[name])) delete errors[name];
      continue;
    }
    if (values[name] === undefined) continue;
    const value =
      name === 'metadata'
        ? withMergedMetadata(shown[name], values[name], mode, isForm)
        : withTypes(shown[name], values[name], isForm);
    if (isDeepStrictEqual(value, shown[name])) {
      delete errors[name];
      continue;
    }
    changes[name] = value;
    // Merged metadata can be too large even if the given metadata is not.
    if (isJsonObject(value) && isTooLarge(value)) errors[name] = [messages.tooLarge];
  }
  return { changes: changes as Changes<Dto>['changes'], errors };
}

function withTypes(shown: unknown, given: unknown, isForm: boolean): unknown {
  // Null clears the attribute, even if an empty object is shown.
  return isForm && given !== null ? withShownTypes(shown, given) : given;
}

function withMergedMetadata(shown: unknown, given: unknown, mode: MergeMode | undefined, isForm: boolean): unknown {
  if (!isJsonObject(shown) || !isJsonObject(given)) return given;
  return mergeMetadata(shown, isForm ? entriesWithShownTypes(shown, given) : given, mode);
}

import { isDeepStrictEqual } from 'node:util';
import type { Checked } from '../../http/checked-body.js';
import { type FieldErrors, messages } from '../../http/errors.js';
import type { MetadataDto } from '../../metadata/metadata.dto.js';
import { type MergeMode, isJsonObject, isTooLarge, mergeMetadata } from '../../metadata/metadata.js';
import type { Row } from './resource.js';
import { entriesWithShownTypes, isSameValue, withShownTypes } from './same-value.js';

/** What a body changes of a record. */
export interface Changes<Dto> {
  /** The attributes that change, with their new values; metadata are merged. */
  changes: Partial<Omit<Dto, 'metadata_merge_mode'>>;
  /** What is wrong with the body. */
  errors: FieldErrors;
}

/**
 * Compares a body with the record as it is shown. A value that comes back as it is shown is no change, and no error
 * whatever the rules say of it: a client may read a record and send it back. So an attribute that is shown from
 * elsewhere, as a participation's call flow from its callout, is not written into the record.
 */
export function changesTo<Dto extends MetadataDto>(
  shown: Row,
  { dto, errors: found, given, isForm }: Checked<Dto>,
): Changes<Dto> {
  const changes: Row = {};
  const errors = { ...found };
  const { metadata_merge_mode: mode, ...attributes } = dto as MetadataDto & Row;
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(shown, key)) continue;
    if (attributes[key] === undefined) {
      if (isSameValue(shown[key], given[key])) delete errors[key];
      continue;
    }
    const value =
      key === 'metadata'
        ? merged(shown[key], attributes[key], mode, isForm)
        : typed(shown[key], attributes[key], isForm);
    if (isDeepStrictEqual(value, shown[key])) {
      delete errors[key];
      continue;
    }
    changes[key] = value;
    // Merging can make metadata too large that were small enough as they came.
    if (isJsonObject(value) && isTooLarge(value)) errors[key] = [messages.tooLarge];
  }
  return { changes: changes as Changes<Dto>['changes'], errors };
}

function typed(shown: unknown, given: unknown, isForm: boolean): unknown {
  return isForm ? withShownTypes(shown, given) : given;
}

function merged(shown: unknown, given: unknown, mode: MergeMode | undefined, isForm: boolean): unknown {
  if (!isJsonObject(shown) || !isJsonObject(given)) return given;
  return mergeMetadata(shown, isForm ? entriesWithShownTypes(shown, given) : given, mode);
}

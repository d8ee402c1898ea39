import { MAX_DEPTH } from '../api/filters/json-filter.js';
import { notPermittedErrors } from '../api/list-request.js';
import { throwIfInvalid } from '../errors/errors.js';
import { isBlank } from '../metadata/client-values.js';

/** The most keys that the filter of a group can have in a query, after `q[contact_metadata]`. */
const MAX_KEYS = MAX_DEPTH - 2;

const BRACKETS = /^metadata(?:\[[^[\]]+\])+$/;

/**
 * Reads the parameters of a report.
 *
 * @returns the keys of `group_by`, a path in the metadata of contacts; undefined without `group_by`
 * @throws ValidationError when `group_by` is no such path, or another parameter is given
 */
export function readGroupBy({ group_by: groupBy, ...others }: Record<string, unknown>): string[] | undefined {
  const path = isBlank(groupBy) ? undefined : metadataPath(groupBy);
  throwIfInvalid({
    ...notPermittedErrors(others),
    ...(path?.length === 0 && { group_by: ['must be a path in the metadata of contacts, such as metadata.province'] }),
  });
  return path;
}

/** @returns the keys of `metadata.a.b` or `metadata[a][b]`; none if it is no path */
function metadataPath(text: unknown): string[] {
  if (typeof text !== 'string') return [];
  const [first, ...rest] = text.split('.');
  const keys = BRACKETS.test(text) ? text.slice('metadata['.length, -1).split('][') : first === 'metadata' ? rest : [];
  const isReachable = keys.length <= MAX_KEYS && keys.every((key) => key !== '' && key !== '__proto__');
  return isReachable ? keys : [];
}

import sql, { type Sql } from 'sql-template-tag';
import { MAX_DEPTH, valueAt } from '../api/filters/json-filter.js';
import { notPermittedErrors } from '../api/list-request.js';
import { isPostgres } from '../database/dialect.js';
import { throwIfInvalid } from '../errors/errors.js';
import { isBlank } from '../metadata/client-values.js';

/** Longer values are cut, so that a report stays small (characters). */
const MAX_VALUE_LENGTH = 200;

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
  return keys.length < MAX_DEPTH && keys.every((key) => key !== '') ? keys : [];
}

/** The SQL of the text at a path of a contact's metadata. It is NULL if there is none, or it is null. */
export function textAt(path: string[]): Sql {
  const found = valueAt(sql`contacts.metadata`, path);
  if (isPostgres) return sql`left(${found} #>> '{}', ${MAX_VALUE_LENGTH})`;
  // `->>` would read true as 1, and format large numbers differently.
  return sql`(SELECT substr(CASE json_type(at.json) WHEN 'text' THEN at.json ->> '$' WHEN 'null' THEN NULL ELSE at.json END,
    1, ${MAX_VALUE_LENGTH}) FROM (SELECT ${found} AS json) AS at)`;
}

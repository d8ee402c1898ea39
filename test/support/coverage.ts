import { outcomeGroups, outcomes } from '../../src/outcomes/outcome-names.js';
import type { ApiResponse, Body } from './api.js';
import type { Installation } from './installation.js';

/** How often the coverage of a callout is compared with its rows, which may change between the two reads. */
const ATTEMPTS = 5;

/** The participations of a callout, counted by SQL. */
interface Counted {
  id: number;
  /** Counts by outcome, and `total`. */
  counts: Record<string, number>;
  groupBy: string;
}

/**
 * Compares the coverage of each callout with its participations: the totals are the sums of their parts, the groups add
 * up to the whole in each number, and the whole is what the rows say.
 *
 * @param get sends a GET request to the API
 * @returns what is wrong
 */
export async function findWrongCoverage(
  installation: Installation,
  get: (path: string) => Promise<ApiResponse>,
): Promise<unknown[]> {
  let wrong: { id: number }[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const counted = await countParticipations(installation);
    const suspects = attempt === 0 ? counted : counted.filter(({ id }) => wrong.some((one) => one.id === id));
    wrong = (await Promise.all(suspects.map((one) => compare(one, get)))).flat();
    if (wrong.length === 0) break;
  }
  return wrong;
}

async function countParticipations(installation: Installation): Promise<Counted[]> {
  const counts = outcomes.map((outcome) => `sum(CASE outcome WHEN '${outcome}' THEN 1 ELSE 0 END) AS ${outcome}`);
  const rows = await installation.query<Record<string, string | number | null>>(
    `SELECT counted.id, total, ${outcomes.join()}, CAST(contacts.metadata AS text) AS metadata FROM (
      SELECT callouts.id, count(present.id) AS total, max(present.contact_id) AS contact_id, ${counts.join()}
      FROM callouts LEFT JOIN callout_participations AS present ON present.callout_id = callouts.id GROUP BY callouts.id
    ) AS counted LEFT JOIN contacts ON contacts.id = counted.contact_id`,
  );
  return rows.map(({ id, metadata, ...rest }) => {
    const keys = Object.keys(JSON.parse(String(metadata ?? '{}')) as object);
    const key = keys.find((one) => /^\w+$/.test(one)) ?? 'province';
    return {
      id: Number(id),
      counts: Object.fromEntries(Object.entries(rest).map(([name, count]) => [name, Number(count)])),
      groupBy: encodeURIComponent(`metadata[${key}]`),
    };
  });
}

async function compare({ id, counts, groupBy }: Counted, get: (path: string) => Promise<ApiResponse>) {
  const { status, body, text } = await get(`/api/callouts/${id}/coverage?group_by=${groupBy}`);
  if (status !== 200) return [{ id, status, text }];
  const { groups, ...whole } = body as { groups: Body[] } & Record<string, Body>;
  const unequalSums: Body[] = [whole, ...groups].filter((one) => !isSumOfParts(one));
  const shown = flatCounts(whole);
  const names = Object.keys(shown);
  const sums = groups.map((group) => flatCounts(group));
  const unequalGroups = names.filter((name) => sums.reduce((sum, one) => sum + one[name]!, 0) !== shown[name]);
  const unequalRows = Object.keys(counts).filter((name) => counts[name] !== shown[name]);
  if (unequalSums.length + unequalGroups.length + unequalRows.length === 0) return [];
  return [{ id, counts, shown, unequalSums, unequalGroups, unequalRows }];
}

/** @returns the number of each outcome, and the total */
function flatCounts(counts: Body): Record<string, number> {
  const parts = Object.keys(outcomeGroups).map((group) => Object.entries<number>(counts[group]));
  return { ...Object.fromEntries(parts.flat()), total: counts.total };
}

function isSumOfParts(counts: Body): boolean {
  const groups = Object.keys(outcomeGroups).map((name) => counts[name]);
  const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
  return (
    sum(groups.map(({ total }) => total)) === counts.total &&
    groups.every(({ total, ...each }) => sum(Object.values<number>(each)) === total)
  );
}

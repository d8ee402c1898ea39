import { Injectable } from '@nestjs/common';
import sql, { raw } from 'sql-template-tag';
import { toIsoTimestamp } from '../database/dialect.js';
import { Reader } from '../database/reader.js';
import { NotFoundError } from '../errors/errors.js';
import type { RecallReceipt } from './recall-receipt.dto.js';
import { ANSWERED } from './request-recall.js';

/**
 * What can become of a call that was under way when its callout was recalled. Of a person with several such calls, the
 * last one in this list counts.
 */
const recallResults = ['not_dialed', 'recalled', 'could_not_recall', 'answered_before', 'talking', 'pending'] as const;
type RecallResult = (typeof recallResults)[number];

const result = (name: RecallResult) => raw(String(recallResults.indexOf(name)));

/**
 * What became of a row of `recalled_calls`, from the present state of the call: whatever the provider reports late
 * counts. A call in progress has the provider's status `ringing` or `in-progress`.
 */
const resultOfCall = sql`CASE
  WHEN phone_calls.status = 'queued' AND phone_calls.lease_token IS NULL THEN ${result('not_dialed')}
  WHEN phone_calls.status IN ('canceled', 'errored') AND phone_calls.remote_call_id IS NULL
    AND (phone_calls.dialled_at IS NULL OR phone_calls.refusal_code IS NOT NULL) THEN ${result('not_dialed')}
  WHEN phone_calls.status = 'completed' AND recalled_calls.remote_status = ${ANSWERED} THEN ${result('talking')}
  WHEN phone_calls.status = 'completed' THEN ${result('answered_before')}
  WHEN phone_calls.status = 'canceled' THEN ${result('recalled')}
  WHEN phone_calls.status IN ('busy', 'failed', 'not_answered', 'errored') THEN ${result('could_not_recall')}
  WHEN coalesce(phone_calls.remote_status, '') <> ${ANSWERED} OR latest.end_status = 'completed'
    THEN ${result('pending')}
  WHEN recalled_calls.remote_status = ${ANSWERED} THEN ${result('talking')}
  ELSE ${result('answered_before')} END`;

interface ReceiptRow {
  requested_at: Date | string;
  requested_by: string | null;
  people: number;
  done_before: number;
  /** The index of a result; null if no call was under way. */
  result: number | null;
  count: number;
}

/** Reads the receipts of recalls. */
@Injectable()
export class RecallReceipts {
  constructor(private readonly reader: Reader) {}

  /**
   * @returns the receipt of the latest recall of a callout
   * @throws NotFoundError if there is no such callout, or its calls were never recalled
   */
  async find(calloutId: number): Promise<RecallReceipt> {
    const rows = await this.reader.rows<ReceiptRow>(sql`WITH
      latest AS (SELECT * FROM recalls WHERE callout_id = ${calloutId} ORDER BY callout_id DESC, id DESC LIMIT 1),
      recalled_people AS (
        SELECT max(${resultOfCall}) AS result FROM latest
        JOIN recalled_calls ON recalled_calls.recall_id = latest.id
        JOIN phone_calls ON phone_calls.id = recalled_calls.phone_call_id
        GROUP BY phone_calls.callout_participation_id
      ),
      counts AS (SELECT result, count(*) AS count FROM recalled_people GROUP BY result)
      SELECT latest.requested_at, latest.requested_by, latest.people, latest.done_before, counts.result,
        coalesce(counts.count, 0) AS count
      FROM latest LEFT JOIN counts ON TRUE`);
    const [first] = rows;
    if (!first) throw new NotFoundError();
    const count = (name: RecallResult) => rows.find((row) => row.result === recallResults.indexOf(name))?.count ?? 0;
    const called = rows.reduce((sum, row) => sum + row.count, 0);
    return {
      requested_at: toIsoTimestamp(first.requested_at),
      requested_by: first.requested_by,
      settled: count('pending') === 0,
      not_dialed: first.people - first.done_before - called + count('not_dialed'),
      recalled: count('recalled'),
      answered_before: count('answered_before'),
      could_not_recall: count('could_not_recall'),
      pending: count('pending'),
      talking: count('talking'),
      done_before: first.done_before,
    };
  }
}

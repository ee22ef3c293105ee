/** Commits of runs within transactions of application code. */
export const transactions = (s: string) => ({
  // The setting ends with the transaction: whoever ended it in between is found out by it.
  beginTransaction: `SELECT set_config('branchline.transaction', $1, true),
    CASE WHEN $2::integer > 0 THEN set_config('statement_timeout', $2::text, true) END`,
  commitWithin: `SELECT c.verdicts, pg_current_xact_id()::text AS xid
    FROM (SELECT WHERE current_setting('branchline.transaction', true) = $1) AS ours
    CROSS JOIN LATERAL ${s}.commit_batch(
      $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34) AS c`,
  transactionFate: `SELECT pg_xact_status($1::xid8) AS fate`,
  // What the transaction wrote, and nothing ever changes: numbers are given anew after a crash, the fate may be that of another one.
  eventsAreThere: `SELECT EXISTS (SELECT FROM ${s}.history
    WHERE run_id = $1 AND first_event_id = $2 AND xmin::text = ($3::xid8)::xid::text) AS there`,
  localResultIsThere: `SELECT EXISTS (SELECT FROM ${s}.local_results
    WHERE run_id = $1 AND activity_id = $2 AND xmin::text = ($3::xid8)::xid::text) AS there`,
});

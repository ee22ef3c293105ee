/** Table `inbox`, and the functions that callers' transactions write by. */
export const inbox = (s: string) => ({
  // Of a caller's connection: never prepared.
  start: `SELECT admission, run, first_run, run_status, request_id FROM ${s}.admit_start($1, $2, $3, $4, $5)`,
  send: `SELECT admission, run FROM ${s}.admit_message($1, $2, $3, $4, $5, $6, $7)`,
  ofRun: `SELECT seq::text AS seq, kind, request_id, request::text AS request FROM ${s}.inbox WHERE run_id = $1 AND error IS NULL ORDER BY seq`,
  waiting: `SELECT DISTINCT run_id FROM ${s}.inbox WHERE error IS NULL LIMIT $1`,
  drop: `DELETE FROM ${s}.inbox WHERE run_id = $1 AND seq = $2`,
  fail: `UPDATE ${s}.inbox SET error = $3 WHERE run_id = $1 AND seq = $2`,
});

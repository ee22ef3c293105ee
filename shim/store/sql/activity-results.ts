/** Results that transactions of activities keep. */

/** Table `local_results`, of local activities. */
export const localResults = (s: string) => ({
  load: `SELECT result::text AS result FROM ${s}.local_results WHERE run_id = $1 AND activity_id = $2`,
  // Of a transaction that wrote no events: its activity ended while a workflow task was under way.
  prove: `INSERT INTO ${s}.local_results (run_id, activity_id, result) VALUES ($1, $2, 'null')`,
  // The lock keeps the run from being closed before the transaction has ended, and bars nothing else.
  keep: `WITH run AS (SELECT FROM ${s}.runs WHERE run_id = $1 FOR KEY SHARE)
    INSERT INTO ${s}.local_results (run_id, activity_id, result) SELECT $1, $2, $3 FROM run RETURNING pg_current_xact_id()::text AS xid`,
});

/** The table of an application that runs on Temporal; `t` is its quoted name. */
export const activityResults = (t: string) => ({
  create: `CREATE TABLE IF NOT EXISTS ${t} (
    namespace text NOT NULL, workflow_id text NOT NULL, run_id text NOT NULL, activity_id text NOT NULL,
    result json, kept_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (namespace, workflow_id, run_id, activity_id))`,
  limitStatements: `SELECT set_config('statement_timeout', $1, true)`,
  claim: `INSERT INTO ${t} (namespace, workflow_id, run_id, activity_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
  load: `SELECT result::text AS result FROM ${t} WHERE namespace = $1 AND workflow_id = $2 AND run_id = $3 AND activity_id = $4`,
  keep: `UPDATE ${t} SET result = $5 WHERE namespace = $1 AND workflow_id = $2 AND run_id = $3 AND activity_id = $4`,
});

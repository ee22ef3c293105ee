/** Table `stand_ins`. */
import { ago } from './epoch';

const columns = `x.namespace, x.workflow_id, x.run_id, x.engine, x.started_on, x.started_run_id`;

export const standIns = (s: string) => ({
  put: `INSERT INTO ${s}.stand_ins (run_id, namespace, workflow_id, engine, started_on) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (run_id) DO NOTHING`,
  started: `UPDATE ${s}.stand_ins SET started_run_id = $2 WHERE run_id = $1 RETURNING run_id`,
  drop: `DELETE FROM ${s}.stand_ins WHERE run_id = $1`,
  // Each is looked at by one process at a time; the oldest look first.
  look: `UPDATE ${s}.stand_ins x SET looked_at = clock_timestamp()
    FROM (SELECT w.run_id FROM ${s}.stand_ins w
      WHERE w.looked_at < ${ago('$1')}
      ORDER BY w.looked_at LIMIT $2 FOR UPDATE SKIP LOCKED) old
    WHERE x.run_id = old.run_id RETURNING ${columns}`,
});

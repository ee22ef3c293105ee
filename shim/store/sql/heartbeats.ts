/** Table `heartbeats`: the last heartbeat of each running activity. */
import { epochMs, fromNow } from './epoch';

export const heartbeats = (s: string) => ({
  record: `INSERT INTO ${s}.heartbeats AS b (run_id, scheduled_event_id, attempt, at, details)
    SELECT h.run, h.event, h.attempt, ${fromNow('$5')}, h.details
    FROM unnest($1::uuid[], $2::int4[], $3::int4[], $4::json[]) AS h(run, event, attempt, details)
    ON CONFLICT (run_id, scheduled_event_id) DO UPDATE SET attempt = excluded.attempt, at = excluded.at, details = excluded.details
    WHERE b.attempt <= excluded.attempt`,
  ofRun: `SELECT scheduled_event_id, attempt, ${epochMs('at')} AS at_ms, details::text AS details
    FROM ${s}.heartbeats WHERE run_id = $1`,
});

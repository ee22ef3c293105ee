/** The fence, and what is decided on runs after a restore (docs/restore.md). Sent by operators, one connection and one transaction at a time. */
import { epochMs } from './epoch';

export const restore = (s: string) => ({
  status: `SELECT f.led_on AS "ledOn", f.on_new_timeline AS "onNewTimeline", ${epochMs('f.raised_at')} AS "raisedAtMs", f.reason,
    ${epochMs('f.restored_to')} AS "restoredToMs", ${epochMs('clock_timestamp()')} AS "nowMs", (SELECT count(*)::integer FROM ${s}.runs r WHERE r.held) AS held,
    (SELECT count(*)::integer FROM ${s}.processes p WHERE p.lease_until > clock_timestamp()) AS processes,
    (SELECT count(*)::integer FROM ${s}.processes p WHERE p.lease_until > clock_timestamp() AND p.at_fence) AS "atFence"
    FROM ${s}.fence f`,
  lock: `SELECT FROM ${s}.fence FOR NO KEY UPDATE`,
  // Whoever raises it by hand speaks of the timeline that is here: what a process would have found is found before.
  raise: `WITH met AS MATERIALIZED (
      SELECT f.led_on IS DISTINCT FROM ${s}.current_timeline() AS moved FROM ${s}.fence f
    )
    SELECT ${s}.raise_fence($1, coalesce($2::timestamptz, CASE WHEN met.moved THEN pg_last_xact_replay_timestamp() END)) AS raised FROM met`,
  onNewTimeline: `UPDATE ${s}.fence SET on_new_timeline = $1`,
  // While the fence is up: open runs that were there before it. While it is down: those that are held.
  runs: `SELECT n.name AS namespace, e.workflow_id AS "workflowId", e.run_id AS "runId", e.workflow_type AS "workflowType", e.task_queue AS "taskQueue",
      ${epochMs('e.start_time')} AS "startedMs", coalesce(r.held, false) AS held, d.decision,
      coalesce((SELECT json_agg(json_build_object('kind', w.kind, 'name', w.name, 'state', w.state, 'untilMs', ${epochMs('w.until')}) ORDER BY w.kind, w.name)
        FROM ${s}.waiting_on w WHERE w.run_id = e.run_id), '[]') AS "waitsFor",
      coalesce((SELECT json_agg(json_build_object('activityId', a.activity_id, 'activityType', a.activity_type, 'attempt', a.attempt,
          'startedMs', ${epochMs('a.started_at')}) ORDER BY a.activity_id)
        FROM ${s}.pending_activities a WHERE a.run_id = e.run_id), '[]') AS activities
    FROM ${s}.runs r
      JOIN ${s}.executions e ON e.run_id = r.run_id
      JOIN ${s}.namespaces n ON n.id = e.namespace_id
      LEFT JOIN ${s}.restore_decisions d ON d.run_id = r.run_id
      CROSS JOIN ${s}.fence f
    WHERE e.status = 1 AND CASE WHEN f.raised_at IS NULL THEN r.held ELSE e.start_time < f.raised_at OR r.held END
    ORDER BY e.start_time, e.run_id`,
  known: `SELECT e.run_id AS "runId" FROM ${s}.executions e WHERE e.run_id = ANY ($1::uuid[])`,
  // Activities that the histories know, local ones by their markers.
  recorded: `SELECT h.run_id AS "runId", x.activity_id AS "activityId"
    FROM ${s}.history h CROSS JOIN LATERAL json_array_elements(h.events) AS v(event) CROSS JOIN LATERAL (
      SELECT coalesce(v.event #>> '{activityTaskScheduledEventAttributes,activityId}',
        CASE WHEN v.event #>> '{markerRecordedEventAttributes,markerName}' = 'core_local_activity'
          THEN ${s}.readable(v.event #> '{markerRecordedEventAttributes,details,data,payloads,0}') ->> 'activity_id' END) AS activity_id) x
    WHERE h.run_id = ANY ($1::uuid[]) AND x.activity_id IS NOT NULL`,
  decide: `INSERT INTO ${s}.restore_decisions (run_id, decision, decided_by) SELECT u.run, $2, $3 FROM unnest($1::uuid[]) AS u(run)
    ON CONFLICT (run_id) DO UPDATE SET decision = excluded.decision, decided_at = excluded.decided_at, decided_by = excluded.decided_by`,
  // The version moves, so that no memory of it can be committed; tasks are made again from the state.
  hold: `WITH held AS (
      UPDATE ${s}.runs SET held = true, version = version + 1, owner = NULL, due_at = NULL WHERE run_id = ANY ($1::uuid[]) AND held IS NOT TRUE
    )
    DELETE FROM ${s}.tasks WHERE run_id = ANY ($1::uuid[])`,
  free: `UPDATE ${s}.runs SET held = NULL, version = version + 1, owner = NULL, due_at = clock_timestamp() WHERE run_id = ANY ($1::uuid[]) AND held`,
  cancel: `SELECT (${s}.admit_message(e.namespace_id, e.workflow_id, e.run_id, NULL, 'cancel', 'restore ' || e.run_id, json_build_object(
      'reason', 'cancelled after a restore of the database', 'identity', $2::text, 'requestId', 'restore ' || e.run_id))).admission
    FROM ${s}.executions e WHERE e.run_id = ANY ($1::uuid[])`,
  // Nobody has anything in memory: what all processes had is found anew from what is durable.
  release: `UPDATE ${s}.fence SET raised_at = NULL, reason = NULL, released_at = clock_timestamp(), released_by = $1,
    led_on = coalesce(${s}.current_timeline(), led_on)`,
  forgetDecisions: `DELETE FROM ${s}.restore_decisions`,
  endLeases: `UPDATE ${s}.processes SET lease_until = '-infinity'`,
  reap: `SELECT ${s}.reap_processes(1000) AS done`,
  tell: `SELECT ${s}.tell_of_fence()`,
});

/** Tables `schedules` and `schedule_slots`. */
import { epochMs } from './epoch';

const dueMs = `coalesce(${epochMs('x.due_at')}, 0) AS due_at_ms`;
const columns = `x.namespace_id, x.schedule_id, x.version::float8 AS version, ${dueMs}, x.state::text AS state`;
/** Rows kept of each schedule. */
const SLOTS_KEPT = 1000;

export const schedules = (s: string) => ({
  // An id that is there answers with the request that made it.
  create: `WITH made AS (
      INSERT INTO ${s}.schedules (namespace_id, schedule_id, uuid, version, create_request_id, created_at, due_at, search_attributes, state)
      VALUES ($1, $2, $3, 1, $4, to_timestamp($5::float8 / 1000), to_timestamp(nullif($6::float8, 0) / 1000), $7, $8)
      ON CONFLICT (namespace_id, schedule_id) DO NOTHING RETURNING create_request_id)
    SELECT create_request_id, true AS made FROM made
    UNION ALL SELECT x.create_request_id, false FROM ${s}.schedules x WHERE x.namespace_id = $1 AND x.schedule_id = $2`,
  load: `SELECT ${columns} FROM unnest($1::int4[], $2::text[]) AS k(namespace, id)
    JOIN ${s}.schedules x ON x.namespace_id = k.namespace AND x.schedule_id = k.id`,
  due: `SELECT x.namespace_id, x.schedule_id, ${dueMs} FROM ${s}.schedules x
    WHERE x.due_at <= to_timestamp($1::float8 / 1000) ORDER BY x.due_at LIMIT $2`,
  // All that still have the version that was read; a row that somebody holds is as good as changed. No state: the schedule goes.
  commit: `WITH c AS (
      SELECT * FROM unnest($1::uuid[], $2::int8[], $3::float8[], $4::json[], $5::json[]) AS c(uuid, version, due, state, attributes)),
    held AS MATERIALIZED (
      SELECT x.uuid FROM ${s}.schedules x JOIN c ON c.uuid = x.uuid AND c.version = x.version FOR UPDATE OF x SKIP LOCKED),
    changed AS (
      UPDATE ${s}.schedules x SET version = x.version + 1, due_at = to_timestamp(nullif(c.due, 0) / 1000),
        search_attributes = c.attributes::jsonb, state = c.state
      FROM c JOIN held ON held.uuid = c.uuid WHERE x.uuid = c.uuid AND c.state IS NOT NULL RETURNING x.uuid),
    removed AS (
      DELETE FROM ${s}.schedules x USING c JOIN held ON held.uuid = c.uuid WHERE x.uuid = c.uuid AND c.state IS NULL RETURNING x.uuid),
    slots AS (
      INSERT INTO ${s}.schedule_slots AS o
        (schedule_uuid, slot, nominal_time, slots, manual, reason, workflow_id, first_run_id, message, decided_at)
      SELECT t.uuid, t.slot, to_timestamp(t."nominalMs" / 1000), t.count, t.manual, t.reason, t."workflowId", t."firstRunId", t.message,
        to_timestamp($7::float8 / 1000)
      FROM json_to_recordset($6::json) AS t(uuid uuid, slot bigint, "nominalMs" float8, count integer, manual boolean, reason text,
        "workflowId" text, "firstRunId" uuid, message text)
      JOIN changed ON changed.uuid = t.uuid
      ON CONFLICT (schedule_uuid, slot) DO UPDATE SET reason = excluded.reason, workflow_id = excluded.workflow_id,
        first_run_id = excluded.first_run_id, message = excluded.message, decided_at = excluded.decided_at
      RETURNING o.schedule_uuid, o.slot),
    pruned AS (
      DELETE FROM ${s}.schedule_slots o USING (SELECT schedule_uuid, max(slot) AS newest FROM slots GROUP BY 1) n
      WHERE o.schedule_uuid = n.schedule_uuid AND o.slot <= n.newest - ${SLOTS_KEPT}),
    forgotten AS (DELETE FROM ${s}.schedule_slots o USING removed WHERE o.schedule_uuid = removed.uuid)
    SELECT uuid FROM changed UNION ALL SELECT uuid FROM removed`,
});

/** Statements around a condition of service/visibility, over alias e: its placeholders begin at $2, ours follow them. */
export const filteredSchedules = (s: string, condition: string, valueCount: number, after: boolean) => {
  const next = valueCount + 2;
  const where = `WHERE e.namespace_id = $1${condition === '' ? '' : ` AND (${condition})`}`;
  // As the filter's names expect it; `ScheduleId` is the workflow id there.
  const from = `FROM (SELECT x.*, x.schedule_id AS workflow_id FROM ${s}.schedules x) e`;
  const created = `to_timestamp($${next + 1}::float8 / 1000)`;
  const page = after
    ? `AND (e.created_at < ${created} OR (e.created_at = ${created} AND e.schedule_id > $${next + 2}))`
    : '';
  return {
    list: `SELECT ${columns.replaceAll('x.', 'e.')} ${from} ${where} ${page}
      ORDER BY e.created_at DESC, e.schedule_id LIMIT $${next}`,
    count: `SELECT count(*)::float8 AS count ${from} ${where}`,
  };
};

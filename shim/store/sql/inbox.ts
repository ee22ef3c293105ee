/** Table `inbox`, and the functions that callers' transactions write by. */
export const inbox = (s: string) => ({
  // On a caller's connection, perhaps by a library that sends all parameters as text: never prepared, all types named.
  start: `SELECT admission, run::text AS run, first_run::text AS first_run, run_status::integer AS run_status, request_id
    FROM ${s}.admit_start($1::integer, $2::text::json, $3::integer::smallint, $4::boolean, $5::float8)`,
  send: `SELECT admission, run::text AS run
    FROM ${s}.admit_message($1::integer, $2::text, $3::text::uuid, $4::text::uuid, $5::text, $6::text, $7::text::json)`,
  createSchedule: `SELECT ${s}.admit_schedule($1::integer, $2::text, $3::text::uuid, $4::text, $5::float8, $6::float8, $7::text::jsonb, $8::text::json) AS admission`,
  ofRun: `SELECT seq::text AS seq, kind, request_id, request::text AS request FROM ${s}.inbox WHERE run_id = $1 AND error IS NULL ORDER BY seq`,
  waiting: `SELECT DISTINCT m.run_id FROM ${s}.inbox m
    WHERE m.error IS NULL AND NOT EXISTS (SELECT FROM ${s}.runs r WHERE r.run_id = m.run_id AND r.held) LIMIT $1`,
  find: `SELECT error FROM ${s}.inbox WHERE run_id = $1 AND kind = $2 AND request_id = $3`,
  drop: `DELETE FROM ${s}.inbox WHERE run_id = $1 AND seq = $2`,
  fail: `UPDATE ${s}.inbox SET error = $3 WHERE run_id = $1 AND seq = $2`,
});

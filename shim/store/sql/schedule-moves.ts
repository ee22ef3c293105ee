/** Table `schedule_moves`. */
import { epochMs, fromNow } from './epoch';

const columns = `m.id, m.namespace, m.schedule_id, m.from_engine, m.to_engine, m.step, ${epochMs('m.cut_at')} AS cut_ms, m.state,
  m.moved_by, m.reason, ${epochMs('m.begun_at')} AS begun_ms, ${epochMs('m.changed_at')} AS changed_ms`;
const open = `m.step NOT IN ('done', 'undone')`;

export const scheduleMoves = (s: string) => ({
  begin: `INSERT INTO ${s}.schedule_moves AS m
      (id, namespace, schedule_id, from_engine, to_engine, step, state, moved_by, reason, held_by, held_until)
    VALUES ($1, $2, $3, $4, $5, 'begun', $6, $7, $8, $9, ${fromNow('$10')})
    ON CONFLICT (namespace, schedule_id) WHERE step NOT IN ('done', 'undone') DO NOTHING RETURNING ${columns}`,
  take: `UPDATE ${s}.schedule_moves m SET held_by = $2, held_until = ${fromNow('$3')}
    WHERE m.id = $1 AND ${open} AND (m.held_by = $2 OR m.held_until < clock_timestamp()) RETURNING ${columns}`,
  save: `UPDATE ${s}.schedule_moves m SET step = $4, cut_at = to_timestamp($5::float8 / 1000), state = $6, held_until = ${fromNow('$3')},
      changed_at = clock_timestamp()
    WHERE m.id = $1 AND ${open} AND m.held_by = $2 RETURNING m.id`,
  letGo: `UPDATE ${s}.schedule_moves m SET held_until = clock_timestamp() WHERE m.id = $1 AND m.held_by = $2 AND ${open}`,
  openMove: `SELECT ${columns} FROM ${s}.schedule_moves m WHERE m.namespace = $1 AND m.schedule_id = $2 AND ${open}`,
  openMoves: `SELECT ${columns} FROM ${s}.schedule_moves m
    WHERE ${open} AND (NOT $1::boolean OR m.held_until < clock_timestamp()) ORDER BY m.begun_at LIMIT $2`,
  movesOf: `SELECT ${columns} FROM ${s}.schedule_moves m
    WHERE m.namespace = $1 AND m.schedule_id = $2 ORDER BY m.begun_at DESC LIMIT $3`,
});

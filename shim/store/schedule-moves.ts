/** Moves of schedules in Postgres. See schedule-move-types.ts for the contract of each call. */
import type { Connections } from './connections';
import type { NewScheduleMove, ScheduleMoveRow, ScheduleMoveStep, ScheduleMoveStore } from './schedule-move-types';
import { scheduleMoves } from './sql/schedule-moves';
import { prepareStatements } from './statement';

interface MoveRecord {
  id: string;
  namespace: string;
  schedule_id: string;
  from_engine: string;
  to_engine: string;
  step: ScheduleMoveStep;
  cut_ms: number | null;
  state: object;
  moved_by: string;
  reason: string;
  begun_ms: number;
  changed_ms: number;
}

export class PostgresScheduleMoves implements ScheduleMoveStore {
  private readonly sql: ReturnType<typeof statements>;

  constructor(
    private readonly connections: Connections,
    schema: string,
    prepared: boolean,
  ) {
    this.sql = statements(schema, prepared);
  }

  async begin(move: NewScheduleMove, holder: string, holdMs: number): Promise<ScheduleMoveRow | null> {
    const { id, namespace, scheduleId, from, to, state, movedBy, reason } = move;
    const values = [id, namespace, scheduleId, from, to, JSON.stringify(state), movedBy, reason, holder, holdMs];
    // Once: a repetition would find its own row and take it for somebody else's.
    const [row] = await this.connections.queryOnce<MoveRecord>(this.sql.begin, values);
    return moveOrNull(row);
  }

  async take(id: string, holder: string, holdMs: number): Promise<ScheduleMoveRow | null> {
    return moveOrNull((await this.connections.query<MoveRecord>(this.sql.take, [id, holder, holdMs]))[0]);
  }

  async save(
    id: string,
    holder: string,
    holdMs: number,
    { step, cutMs, state }: Pick<ScheduleMoveRow, 'step' | 'cutMs' | 'state'>,
  ): Promise<boolean> {
    const values = [id, holder, holdMs, step, cutMs, JSON.stringify(state)];
    // Once: what ends the move would not find it open again.
    return (await this.connections.queryOnce(this.sql.save, values)).length > 0;
  }

  async letGo(id: string, holder: string): Promise<void> {
    await this.connections.query(this.sql.letGo, [id, holder]);
  }

  async openMove(namespace: string, scheduleId: string): Promise<ScheduleMoveRow | null> {
    return moveOrNull((await this.connections.query<MoveRecord>(this.sql.openMove, [namespace, scheduleId]))[0]);
  }

  async openMoves(unheld: boolean, limit: number): Promise<ScheduleMoveRow[]> {
    return (await this.connections.query<MoveRecord>(this.sql.openMoves, [unheld, limit])).map(moveRow);
  }

  async movesOf(namespace: string, scheduleId: string, limit: number): Promise<ScheduleMoveRow[]> {
    const rows = await this.connections.query<MoveRecord>(this.sql.movesOf, [namespace, scheduleId, limit]);
    return rows.map(moveRow);
  }
}

const statements = (schema: string, prepared: boolean) =>
  prepareStatements(schema, 'schedule_moves', scheduleMoves(`"${schema}"`), prepared);

const moveOrNull = (row: MoveRecord | undefined): ScheduleMoveRow | null => (row === undefined ? null : moveRow(row));

const moveRow = (row: MoveRecord): ScheduleMoveRow => ({
  id: row.id,
  namespace: row.namespace,
  scheduleId: row.schedule_id,
  from: row.from_engine,
  to: row.to_engine,
  step: row.step,
  cutMs: row.cut_ms,
  state: row.state,
  movedBy: row.moved_by,
  reason: row.reason,
  begunMs: row.begun_ms,
  changedMs: row.changed_ms,
});

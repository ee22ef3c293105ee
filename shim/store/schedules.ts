/** Schedules in Postgres. See types.ts for the contract of each call. */
import type { ScheduleState } from '../service/engine/schedules/types';
import { float8Array, int4Array, int8Array, jsonArray, textArray, uuidArray } from './binary-arrays';
import { searchAttributeValues } from './commit-batch';
import type { Connections } from './connections';
import { Gathering } from './gathering';
import { fromJson, toJson } from './json';
import { filteredSchedules, schedules } from './sql/schedules';
import { prepareStatements } from './statement';
import type { LoadedSchedule, NewSchedule, ScheduleCommit, ScheduleKey, ScheduleStore, VisibilityQuery } from './types';

interface ScheduleRecord {
  namespace_id: number;
  schedule_id: string;
  version: number;
  due_at_ms: number;
  state: string;
}

const AT_ONCE = 200;

export class PostgresSchedules implements ScheduleStore {
  private readonly sql: ReturnType<typeof statements>;
  private readonly loads: Gathering<ScheduleKey, LoadedSchedule | null>;
  private readonly commits: Gathering<ScheduleCommit, boolean>;

  constructor(
    private readonly connections: Connections,
    private readonly schema: string,
    prepared: boolean,
    private readonly nowMs: () => number,
  ) {
    this.sql = statements(schema, prepared);
    this.loads = new Gathering((keys) => this.loadAll(keys), AT_ONCE);
    this.commits = new Gathering((commits) => this.commitAll(commits), AT_ONCE);
  }

  async create(schedule: NewSchedule): Promise<'created' | 'taken'> {
    const [row] = await this.connections.query<{ create_request_id: string; made: boolean }>(
      this.sql.create,
      newScheduleValues(schedule),
    );
    return row?.create_request_id === schedule.requestId ? 'created' : 'taken';
  }

  load(key: ScheduleKey): Promise<LoadedSchedule | null> {
    return this.loads.call(key);
  }

  commit(commit: ScheduleCommit): Promise<boolean> {
    return this.commits.call(commit);
  }

  async due(untilMs: number, limit: number): Promise<(ScheduleKey & { dueAtMs: number })[]> {
    const rows = await this.connections.query<ScheduleRecord>(this.sql.due, [untilMs, limit]);
    return rows.map((row) => ({
      namespaceId: row.namespace_id,
      scheduleId: row.schedule_id,
      dueAtMs: row.due_at_ms,
    }));
  }

  async list(
    query: VisibilityQuery,
    limit: number,
    after: { createdMs: number; scheduleId: string } | null,
  ): Promise<ScheduleState[]> {
    const text = filteredSchedules(`"${this.schema}"`, query.condition, query.values.length, after !== null).list;
    const values = [query.namespaceId, ...query.values, limit];
    if (after !== null) values.push(after.createdMs, after.scheduleId);
    const rows = await this.connections.query<ScheduleRecord>({ name: undefined, text }, values);
    return rows.map(({ state }) => fromJson(state));
  }

  async count(query: VisibilityQuery): Promise<number> {
    const text = filteredSchedules(`"${this.schema}"`, query.condition, query.values.length, false).count;
    const values = [query.namespaceId, ...query.values];
    const [row] = await this.connections.query<{ count: number }>({ name: undefined, text }, values);
    return row?.count ?? 0;
  }

  private async loadAll(keys: ScheduleKey[]): Promise<(LoadedSchedule | null)[]> {
    const rows = await this.connections.query<ScheduleRecord>(this.sql.load, [
      int4Array(keys.map(({ namespaceId }) => namespaceId)),
      textArray(keys.map(({ scheduleId }) => scheduleId)),
    ]);
    const byKey = new Map(rows.map((row) => [`${row.namespace_id}/${row.schedule_id}`, row]));
    return keys.map(({ namespaceId, scheduleId }) => {
      const row = byKey.get(`${namespaceId}/${scheduleId}`);
      if (row === undefined) return null;
      // Each caller changes a state of its own.
      return { namespaceId, state: fromJson<ScheduleState>(row.state), version: row.version, dueAtMs: row.due_at_ms };
    });
  }

  private async commitAll(commits: ScheduleCommit[]): Promise<boolean[]> {
    const slots = commits.flatMap(({ uuid, slots }) => slots.map((slot) => ({ uuid, ...slot })));
    const rows = await this.connections.query<{ uuid: string }>(this.sql.commit, [
      uuidArray(commits.map(({ uuid }) => uuid)),
      int8Array(commits.map(({ expectedVersion }) => expectedVersion)),
      float8Array(commits.map(({ dueAtMs }) => dueAtMs)),
      jsonArray(commits.map(({ state }) => (state === null ? null : Buffer.from(toJson(state))))),
      jsonArray(commits.map(({ state }) => (state === null ? null : Buffer.from(attributesJson(state))))),
      toJson(slots),
      this.nowMs(),
    ]);
    const done = new Set(rows.map(({ uuid }) => uuid));
    return commits.map(({ uuid }) => done.has(uuid));
  }
}

/** As `create` takes them. */
export const newScheduleValues = ({ namespaceId, requestId, state, dueAtMs }: NewSchedule): unknown[] => [
  namespaceId,
  state.scheduleId,
  state.uuid,
  requestId,
  state.createdMs,
  dueAtMs,
  attributesJson(state),
  toJson(state),
];

const statements = (schema: string, prepared: boolean) =>
  prepareStatements(schema, 'schedules', schedules(`"${schema}"`), prepared);

/** What lists filter by. */
function attributesJson({ searchAttributes, paused }: ScheduleState): string {
  const own = searchAttributeValues(searchAttributes);
  return `{${own}${own === '' ? '' : ','}"TemporalSchedulePaused":${paused}}`;
}

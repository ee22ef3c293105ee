import { describe, expect, it } from 'vitest';
import { filterSql } from './filter-sql';
import { parseFilter } from './parser';

const CUSTOM = { Plan: 2, Seats: 3, Score: 4, Active: 5, Renewal: 6, Tags: 7, Notes: 1 };
const sql = (text: string): { condition: string; values: unknown[] } => {
  const { condition, values } = filterSql(parseFilter(text).where, CUSTOM);
  const own = "e.search_attributes ->> 'TemporalNamespaceDivision' IS NULL";
  return { condition: condition.startsWith(`${own} AND `) ? condition.slice(own.length + 5) : condition, values };
};

describe('list filter', () => {
  it('binds NOT before AND before OR', () => {
    expect(sql("WorkflowId = 'a' OR NOT WorkflowId = 'b' AND TaskQueue = 'c'").condition).toBe(
      '((e.workflow_id COLLATE "C" = $2::text OR (NOT (e.workflow_id COLLATE "C" = $3::text) AND e.task_queue COLLATE "C" = $4::text)))',
    );
  });

  it('keeps values out of the SQL', () => {
    const { condition, values } = sql(`WorkflowId = 'it''s; DROP TABLE' AND WorkflowType = "say \\"hi\\""`);
    expect(condition).not.toContain('DROP');
    expect(values).toEqual(["it's; DROP TABLE", 'say "hi"']);
  });

  it('reads statuses by name and number', () => {
    expect(
      sql("ExecutionStatus IN ('Running', 'TimedOut', 'WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW', 3)").values,
    ).toEqual([1, 7, 6, 3]);
    expect(() => sql("ExecutionStatus = 'Sleeping'")).toThrow("invalid ExecutionStatus value 'Sleeping'");
  });

  it('reads times as RFC 3339 and as nanoseconds', () => {
    expect(sql("StartTime BETWEEN '2024-05-01T00:00:00Z' AND 1714521600123456789").values).toEqual([
      '2024-05-01T00:00:00Z',
      '2024-05-01T00:00:00.123456Z',
    ]);
    expect(() => sql("StartTime > 'yesterday'")).toThrow("unable to parse datetime 'yesterday'");
  });

  it('reads durations as Go, as clock and as nanoseconds', () => {
    const ns = (text: string): unknown => sql(`ExecutionDuration > ${text}`).values[0];
    expect([ns("'1h30m'"), ns("'01:30:00'"), ns('5400000000000'), ns("'1.5s'")]).toEqual([
      '5400000000000',
      '5400000000000',
      '5400000000000',
      '1500000000',
    ]);
    expect(() => ns("'soon'")).toThrow('invalid duration value');
  });

  it('looks equal custom keywords up by containment, but keeps unknown unknown under NOT', () => {
    expect(sql("Plan = 'pro'")).toEqual({
      condition: '((e.search_attributes @> $2::jsonb OR e.search_attributes @> $3::jsonb))',
      values: ['{"Plan":"pro"}', '{"Plan":["pro"]}'],
    });
    expect(sql("NOT Plan = 'pro'").condition).toContain("->> 'Plan'");
    expect(sql("Tags IN ('a', 'b')").values).toEqual(['{"Tags":["a"]}', '{"Tags":["b"]}']);
  });

  it('resolves names with and without the prefix, and in back quotes', () => {
    expect(sql("`ScheduledById` = 'nightly'").values).toEqual([
      '{"TemporalScheduledById":"nightly"}',
      '{"TemporalScheduledById":["nightly"]}',
    ]);
    expect(sql("ScheduleId = 's'").condition).toContain('e.workflow_id');
    expect(sql("TemporalWorkflowId = 's'").condition).toContain('e.workflow_id');
  });

  it.each([
    ["Nope = 'x'", "column name 'Nope' is not a valid search attribute"],
    ["Notes STARTS_WITH 'x'", "operator 'STARTS_WITH' not supported for Text type search attribute 'Notes'"],
    ["Tags > 'x'", "operator '>' not supported for KeywordList type search attribute 'Tags'"],
    ["Seats STARTS_WITH 'x'", "not supported for Int type search attribute 'Seats'"],
    ["Seats = 'many'", 'invalid value type for search attribute Seats of type Int'],
    ['Plan = 3', 'invalid value type for search attribute Plan of type Keyword'],
    ['Active BETWEEN true AND false', "cannot do range condition on search attribute 'Active' of type Bool"],
    ['Plan = pro', 'did you forget to quote "pro"?'],
    ["WorkflowId = 'a' AND", 'syntax error at position 21'],
    ["WorkflowId = 'a", 'syntax error at position 16'],
    ["WorkflowId == 'a'", "syntax error at position 13 near '='"],
    ["(WorkflowId = 'a'", 'syntax error at position 18'],
    ["WorkflowId = 'a') ", "syntax error at position 17 near ')'"],
    ['WorkflowId', 'incomplete expression'],
    ["WorkflowId IS 'a'", "'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'"],
    ['ORDER BY StartTime', "operation is not supported: 'ORDER BY' clause"],
    ["WorkflowId = 'a' LIMIT 3", "operation is not supported: 'LIMIT' clause"],
    ["lower(WorkflowId) = 'a'", 'function expression'],
    ['WorkflowId = ;', "syntax error at position 14 near ';'"],
  ])('refuses %s', (text, message) => {
    expect(() => sql(text)).toThrow(message);
  });

  it('reads GROUP BY', () => {
    expect(parseFilter("WorkflowType = 'x' GROUP BY ExecutionStatus").groupBy).toEqual(['ExecutionStatus']);
    expect(parseFilter('').where).toBeNull();
  });

  it('hides other namespace divisions unless they are asked for', () => {
    expect(filterSql(null, {}).condition).toContain('TemporalNamespaceDivision');
    const { condition } = filterSql(parseFilter("TemporalNamespaceDivision = 'x'").where, {});
    expect(condition).toBe('(e.search_attributes @> $2::jsonb OR e.search_attributes @> $3::jsonb)');
  });
});

import { describe, expect, it } from 'vitest';
import { predefinedSearchAttributes, serverSearchAttributes } from '../engine/search-attributes';
import { filterSql } from './filter-sql';
import { parseFilter } from './parser';

const CUSTOM = { Plan: 2, Seats: 3, Score: 4, Active: 5, Renewal: 6, Tags: 7, Notes: 1 };
const sql = (text: string): { condition: string; values: unknown[] } => {
  const { condition, values } = filterSql(parseFilter(text).where, CUSTOM);
  const own = "(e.search_attributes ? 'TemporalNamespaceDivision') IS NOT TRUE";
  return { condition: condition.startsWith(`${own} AND `) ? condition.slice(own.length + 5) : condition, values };
};

describe('list filter as SQL', () => {
  it('keeps values out of the SQL', () => {
    const { condition, values } = sql(`WorkflowId = 'it''s; DROP TABLE' AND WorkflowType = "say \\"hi\\""`);
    expect(condition).not.toContain('DROP');
    expect(values).toEqual(["it's; DROP TABLE", 'say "hi"']);
  });

  it('knows every attribute that namespaces have', () => {
    for (const name of Object.keys({ ...serverSearchAttributes, ...predefinedSearchAttributes })) {
      expect(sql(`${name} IS NOT NULL`).condition, name).toContain('e.');
    }
  });

  it.each([
    [
      "ExecutionStatus = 'Completed'",
      "(e.status = 2 AND coalesce(e.close_time, 'infinity'::timestamptz) < 'infinity')",
    ],
    ['ExecutionStatus = 1', "coalesce(e.close_time, 'infinity'::timestamptz) = 'infinity'"],
    ['ExecutionStatus != 1', "coalesce(e.close_time, 'infinity'::timestamptz) < 'infinity'"],
    [
      "ExecutionStatus IN ('TimedOut', 'WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW', 3)",
      "(e.status = ANY ('{3,6,7}'::smallint[]) AND coalesce(e.close_time, 'infinity'::timestamptz) < 'infinity')",
    ],
    ['ExecutionStatus NOT IN (2, 3)', "e.status = ANY ('{1,4,5,6,7}'::smallint[])"],
    ['ExecutionStatus NOT BETWEEN 2 AND 6', "e.status = ANY ('{1,7}'::smallint[])"],
    ['ExecutionStatus >= 1', 'true'],
    ['ExecutionStatus = 99', 'false'],
    ["ExecutionStatus = 'Unspecified'", 'false'],
  ])('reads statuses by name and number: %s', (text, condition) => {
    expect(sql(text)).toEqual({ condition: `(${condition})`, values: [] });
  });

  it('reads times as RFC 3339 and as nanoseconds', () => {
    const time = (text: string): unknown => sql(`StartTime > ${text}`).values[0];
    expect(time("'2024-05-01T00:00:00+02:00'")).toBe('2024-05-01T00:00:00+02:00');
    expect(time("'2024-02-29T00:00:00.123456789Z'")).toBe('2024-02-29T00:00:00.123456Z');
    expect(time('1714521600123456789')).toBe('2024-05-01T00:00:00.123456Z');
    expect(time('-1')).toBe('1969-12-31T23:59:59.999999Z');
    expect(time("'0000-01-01T00:00:00Z'")).toBe('-infinity');
    for (const wrong of [
      ...["'yesterday'", "'2024-05-01'", "'2024-05-01T00:00:00'", "'2024-05-01 00:00:00Z'", "'2023-02-29T00:00:00Z'"],
      ...["'2024-13-01T00:00:00Z'", "'2024-05-01T24:00:00Z'", "'2024-05-01T00:00:60Z'", "'2024-05-01T00:00:00+24:00'"],
    ]) {
      expect(() => time(wrong), wrong).toThrow(`unable to parse datetime ${wrong} at position 13`);
    }
    expect(() => time('1.5')).toThrow('invalid value type for search attribute StartTime of type Datetime: 1.5');
    expect(() => time('9223372036854775808')).toThrow('invalid value type');
  });

  it('reads durations as Go, as clock and as nanoseconds', () => {
    const ns = (text: string): unknown => sql(`ExecutionDuration > ${text}`).values[0];
    expect([ns("'1h30m'"), ns("'01:30:00'"), ns('5400000000000'), ns("'5400000000000'"), ns("'1.5s'")]).toEqual([
      ...Array<string>(4).fill('5400000000000'),
      '1500000000',
    ]);
    expect([ns("'-1.5h'"), ns("'2d'"), ns("'1us2ns'")]).toEqual(['-5400000000000', '172800000000000', '1002']);
    for (const wrong of ["'soon'", "'1h and more'", "''", "'1'.", "'01:60:00'"]) {
      expect(() => ns(wrong), wrong).toThrow(/invalid duration value|syntax error/);
    }
  });

  it('looks for runs that started after a time among those that did not close before it', () => {
    const bound =
      "e.start_time > $2::timestamptz AND coalesce(e.close_time, 'infinity'::timestamptz) >= $2::timestamptz";
    expect(sql("StartTime > '2024-05-01T00:00:00Z'").condition).toContain(bound);
    expect(sql("StartTime <= '2024-05-01T00:00:00Z'").condition).not.toContain('close_time');
    expect(sql("NOT StartTime > '2024-05-01T00:00:00Z'").condition).not.toContain('close_time');
  });

  it('reads numbers with all their digits, and as texts', () => {
    expect(sql('Seats = 9007199254740993').values).toEqual(['9007199254740993']);
    expect(sql("Seats IN ('10', 1e3)").values).toEqual([['10', '1e3']]);
    expect(sql('Score BETWEEN -.5 AND 2').values).toEqual(['-.5', '2']);
  });

  it('looks equal custom keywords up by containment, but keeps unknown unknown under NOT', () => {
    expect(sql("Plan = 'pro'")).toEqual({
      condition: '((e.search_attributes @> $2::jsonb OR e.search_attributes @> $3::jsonb))',
      values: ['{"Plan":"pro"}', '{"Plan":["pro"]}'],
    });
    expect(sql("NOT Plan = 'pro'").condition).toContain("->> 'Plan'");
    expect(sql("Tags IN ('a', 'b')").values).toEqual(['{"Tags":["a"]}', '{"Tags":["b"]}']);
  });

  it('passes long lists as one parameter', () => {
    const many = Array.from({ length: 70_000 }, (_, i) => `'w${i}'`).join(',');
    expect(sql(`WorkflowId IN (${many})`).values).toHaveLength(1);
    expect(sql(`Plan NOT IN (${many})`).values).toHaveLength(1);
    expect(() => sql(`Tags IN (${many})`)).toThrow('so many values');
  });

  it.each([
    ['abc', 'abd'],
    ['a\u{10ffff}', 'b'],
    ['a\ud7ff', 'a\ue000'],
    ['\u{10ffff}', undefined],
  ])('reads prefixes as ranges: %s', (prefix, end) => {
    expect(sql(`WorkflowId STARTS_WITH '${prefix}'`).values).toEqual(end === undefined ? [prefix] : [prefix, end]);
  });

  it('resolves names with and without the prefix, and in back quotes', () => {
    expect(sql("`ScheduledById` = 'nightly'").values).toEqual([
      '{"TemporalScheduledById":"nightly"}',
      '{"TemporalScheduledById":["nightly"]}',
    ]);
    expect(sql("ScheduleId = 's'").condition).toContain('e.workflow_id');
    expect(sql("TemporalWorkflowId = 's'").condition).toContain('e.workflow_id');
    expect(() => sql("__proto__ = 's'")).toThrow("column name '__proto__' is not a valid search attribute");
  });

  it.each([
    ["Nope = 'x'", "invalid expression: column name 'Nope' is not a valid search attribute at position 1"],
    ['TemporalExternalPayloadCount = 0', "column name 'TemporalExternalPayloadCount' is not a valid search attribute"],
    ["Notes STARTS_WITH 'x'", "operator 'STARTS_WITH' not supported for Text type search attribute 'Notes'"],
    ["Notes IN ('x')", "operator 'IN' not supported for Text type search attribute 'Notes'"],
    ["Notes = ' '", "unexpected value for Text type search attribute (no tokens found in ' ') at position 9"],
    ["Tags > 'x'", "operator '>' not supported for KeywordList type search attribute 'Tags'"],
    ["Tags BETWEEN 'a' AND 'b'", "cannot do range condition on search attribute 'Tags' of type KeywordList"],
    ["Seats STARTS_WITH 'x'", "not supported for Int type search attribute 'Seats'"],
    ["ExecutionStatus STARTS_WITH 'Run'", "operator 'STARTS_WITH' not supported for Keyword type"],
    ["ExecutionStatus = 'Sleeping'", "invalid ExecutionStatus value 'Sleeping' at position 19"],
    ['ExecutionStatus = 1.5', 'invalid ExecutionStatus value 1.5'],
    ["Seats = 'many'", 'invalid value type for search attribute Seats of type Int: "many" at position 9'],
    ['Seats = true', 'invalid value type for search attribute Seats of type Int: true'],
    ["Active = 'true'", 'invalid value type for search attribute Active of type Bool: "true"'],
    ['Plan = 3', 'invalid value type for search attribute Plan of type Keyword: 3 at position 8'],
    ["Plan IN ('a', 3)", 'of type Keyword: 3 at position 15'],
    ['Active BETWEEN true AND false', "cannot do range condition on search attribute 'Active' of type Bool"],
  ])('refuses %s', (text, message) => {
    expect(() => sql(text)).toThrow(message);
  });

  it('hides other namespace divisions unless they are asked for', () => {
    expect(filterSql(null, {}).condition).toContain('TemporalNamespaceDivision');
    const { condition } = filterSql(parseFilter("TemporalNamespaceDivision = 'x'").where, {});
    expect(condition).toBe('(e.search_attributes @> $2::jsonb OR e.search_attributes @> $3::jsonb)');
  });
});

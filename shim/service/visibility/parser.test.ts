import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateParser, parserFile } from '../../../scripts/generate-parser';
import { type Filter, FilterError, type ListQuery, type Name, type Value } from './filter';
import { parseFilter } from './parser';
import { printQuery } from './printer';

/** A tree without its positions. */
const bare = (tree: unknown): unknown =>
  JSON.parse(JSON.stringify(tree, (key, value: unknown) => (key === 'position' ? undefined : value)));

const name: fc.Arbitrary<Name> = fc
  .oneof(
    fc.constantFrom(
      'WorkflowId',
      'StartTime',
      'order',
      'Not',
      'in',
      'NULL',
      'True',
      'STARTS_WITH',
      'a b',
      '1a',
      '`',
      'ä',
    ),
    fc.string({ minLength: 1 }),
    fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.@-]{0,8}$/),
  )
  .map((name) => ({ name, position: 0 }));

const value: fc.Arbitrary<Value> = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^['"\\`bnrtZ0]{0,6}$/),
    fc.boolean(),
    fc.integer(),
    fc.bigInt(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  )
  // JSON, by which trees are compared here, has no -0.
  .map((value) => (typeof value === 'number' ? value + 0 : value))
  .map((value) => ({ value: typeof value === 'bigint' ? Number(value) : value, text: String(value), position: 0 }));

const operator = fc.constantFrom('=', '!=', '<', '<=', '>', '>=', 'starts_with', 'not starts_with');
const negated = fc.boolean();

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('compare'), name, operator, value }),
    fc.record({ kind: fc.constant('in'), name, negated, values: fc.array(value, { minLength: 1, maxLength: 4 }) }),
    fc.record({ kind: fc.constant('between'), name, negated, from: value, to: value }),
    fc.record({ kind: fc.constant('null'), name, negated }),
    fc.record({ kind: fc.constant('not'), operand: tie('filter') }),
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      operands: fc.array(tie('filter'), { minLength: 2, maxLength: 4 }),
    }),
  ) as fc.Arbitrary<Filter>,
}));

const query: fc.Arbitrary<ListQuery> = fc.record({
  where: fc.option(filter),
  groupBy: fc.array(name, { maxLength: 2 }),
  orderBy: fc.array(
    fc.tuple(name, fc.boolean()).map(([name, descending]) => ({ ...name, descending })),
    { maxLength: 3 },
  ),
});

describe('the list filter', () => {
  it('has a parser that is made of the grammar (else: npx tsx scripts/generate-parser.ts)', () => {
    expect(readFileSync(parserFile, 'utf8')).toBe(generateParser());
  });

  it('is read from what is printed of it', () => {
    fc.assert(
      fc.property(query, (query) => {
        expect(bare(parseFilter(printQuery(query)))).toEqual(bare(query));
      }),
      { numRuns: 2000 },
    );
  });

  it('is read, or refused at a position of the text', () => {
    const words = fc.constantFrom(
      ...[
        "'",
        '"',
        '`',
        '\\',
        'a',
        '=',
        '<',
        '(',
        ')',
        ',',
        ' ',
        'and',
        'or',
        'not',
        'in',
        'is',
        'null',
        '1',
        '-',
        '.',
      ],
      ...[
        'between',
        'starts_with',
        'order by',
        'group by',
        'limit',
        'true',
        "'x'",
        '/*',
        '*/',
        '--',
        ';',
        '&&',
        'like',
      ],
    );
    fc.assert(
      fc.property(
        fc.array(words, { maxLength: 12 }).map((parts) => parts.join(' ')),
        (text) => {
          try {
            parseFilter(text);
          } catch (error) {
            expect(error).toBeInstanceOf(FilterError);
            const position = Number(/at position (\d+)/.exec((error as Error).message)?.[1]);
            expect(position).toBeGreaterThanOrEqual(1);
            expect(position).toBeLessThanOrEqual(text.length + 1);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('knows where its names and values stand', () => {
    expect(parseFilter("  `Plan`\n=  'pro'").where).toEqual({
      kind: 'compare',
      name: { name: 'Plan', position: 3 },
      operator: '=',
      value: { value: 'pro', text: 'pro', position: 13 },
    });
  });

  it.each<[same: string, as: string]>([
    [
      "WorkflowId = 'a' or not WorkflowId = 'b' and TaskQueue = 'c'",
      "WorkflowId = 'a' OR (NOT WorkflowId = 'b' AND TaskQueue = 'c')",
    ],
    ['a = 1 && b = 2 || c = 3', '(a = 1 AND b = 2) OR c = 3'],
    ['a = 1 AND b = 2 AND c = 3', 'a = 1 AND (b = 2) AND ((c = 3))'],
    ['not not a <> +1', 'NOT NOT a != 1'],
    ['a > - 1.5e3', 'a > -1.5e3'],
    ["a = 'it''s'", `a = "it's"`],
    [String.raw`a = 'it\'s \n\%\\'`, 'a = "it\'s \n%\\\\"'],
    ['a = "say ""hi"""', `a = 'say "hi"'`],
    ['a = 1 -- all of it', 'a = 1;'],
    ['/* a */ a /* = */ = 1', '\ta\n=\r\n1'],
    ['`order` is Not nuLL Order By `limit`, b DESC', '`order` IS NOT NULL ORDER BY `limit` ASC, b desc'],
    ['a NOT STARTS_WITH "x"', "a not starts_with 'x'"],
    ['andrew = true', '`andrew` = TRUE'],
  ])('reads %s as %s', (text, other) => {
    expect(bare(parseFilter(text))).toEqual(bare(parseFilter(other)));
  });

  it('reads nothing as everything, and the clauses alone', () => {
    expect(parseFilter(' ')).toEqual({ where: null, groupBy: [], orderBy: [] });
    expect(parseFilter('GROUP BY a, b')).toMatchObject({ where: null, groupBy: [{ name: 'a' }, { name: 'b' }] });
    expect(parseFilter('ORDER BY a')).toMatchObject({ where: null, orderBy: [{ name: 'a', descending: false }] });
  });

  it('reads very long chains, and refuses what is nested too deeply', () => {
    expect(parseFilter(Array(20_000).fill('a = 1').join(' OR ')).where).toMatchObject({ kind: 'or' });
    expect(() => parseFilter('('.repeat(200_000))).toThrow('too many nested expressions');
  });

  it.each([
    [
      "WorkflowId = 'a' AND",
      'malformed SQL query: syntax error at position 21 (the end): expected (, NOT or a search attribute',
    ],
    ["WorkflowId = 'a", 'malformed SQL query: syntax error: the quote is not closed at position 14'],
    ["WorkflowId == 'a'", "malformed SQL query: syntax error at position 13 near '=': expected a value"],
    ["(WorkflowId = 'a'", 'malformed SQL query: syntax error at position 18 (the end): expected ), AND or OR'],
    ["WorkflowId = 'a') ", "syntax error at position 17 near ')': expected AND, GROUP BY, OR, ORDER BY or the end"],
    ['WorkflowId = ;', "syntax error at position 14 near ';': expected a value"],
    ["WorkflowId = 'a' XOR b = 1", "syntax error at position 18 near 'XOR'"],
    ['a IN ()', "syntax error at position 7 near ')': expected a value"],
    ['a NOT = 1', "syntax error at position 7 near '='"],
    ['ORDER BY 1', "syntax error at position 10 near '1': expected a search attribute"],
    ['WorkflowId', 'invalid expression: incomplete expression at position 1'],
    [
      "WorkflowId IS 'a'",
      "invalid expression: 'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL' at position 12",
    ],
    ["a LIKE 'x%'", "invalid expression: invalid operator 'like' at position 3"],
    ["a NOT  LIKE 'x%'", "invalid operator 'not  like' at position 3"],
    ['a <=> 1', "invalid operator '<=>' at position 3"],
    [
      "'x' = a",
      'invalid expression: must be a column name but was a value (the search attribute stands on the left) at position 1',
    ],
    ['a = NULL', "invalid expression: NULL is no value: use 'IS NULL' or 'IS NOT NULL' at position 5"],
    [
      'Plan = pro',
      `column name on the right side of comparison expression (did you forget to quote 'pro'?) at position 8`,
    ],
    ["lower(WorkflowId) = 'a'", 'operation is not supported: function expression at position 1'],
    ["a = lower('a')", 'operation is not supported: nested func at position 5'],
    ["WorkflowId = 'a' LIMIT 3", "operation is not supported: 'LIMIT' clause at position 18"],
    ['a = 1 HAVING a > 1', "operation is not supported: 'HAVING' clause at position 7"],
  ])('refuses %s', (text, message) => {
    expect(() => parseFilter(text)).toThrow(message);
  });
});

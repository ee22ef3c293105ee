import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitEngineFilter } from './engine-attribute';
import { type EnginePage, type Place, type Run, compareRuns, mergeRuns, runIdOf } from './merge';

interface Item {
  engine: string;
  start: number;
  close: number | null;
}

const runOf = ({ start, close }: Item, i: number): Run => ({
  execution: { workflowId: `w${i}`, runId: `run-${String(i).padStart(3, '0')}` },
  startTime: { seconds: start as never, nanos: 0 },
  ...(close === null ? {} : { closeTime: { seconds: close as never, nanos: 0 } }),
});

/** Engines as they page: by the position of the last run. */
function ask(runs: Run[], size: number, page: string): { runs: Run[]; next: string } {
  const from = page === '' ? 0 : Number(page);
  const to = from + size;
  return { runs: runs.slice(from, to), next: runs.length > to ? String(to) : '' };
}

describe('merging the pages of engines', () => {
  it('gives every run once, in order, whatever the sizes of pages', () => {
    const item = fc.record({
      engine: fc.constantFrom('a', 'b', 'c'),
      start: fc.integer({ min: 1, max: 9 }),
      close: fc.option(fc.integer({ min: 10, max: 19 })),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (items, size) => {
        const all = items.map((one, i) => ({ engine: one.engine, run: runOf(one, i) }));
        const sorted = all.sort((x, y) => compareRuns(x.run, y.run));
        const engines = new Map(['a', 'b', 'c'].map((name) => [name, sorted.filter(({ engine }) => engine === name)]));
        let positions: [string, { page: string; after?: Place }][] = [...engines.keys()].map((name) => [
          name,
          { page: '' },
        ]);
        const listed: string[] = [];
        for (let calls = 0; positions.length > 0; calls++) {
          expect(calls).toBeLessThan(200);
          const pages = positions.map(([engine, { page, after }]): EnginePage => {
            const { runs, next } = ask(
              engines.get(engine)!.map(({ run }) => run),
              size,
              page,
            );
            const at = after === undefined ? -1 : runs.findIndex((run) => runIdOf(run) === after.runId);
            return { engine, runs: runs.slice(at + 1), page, next, ...(after === undefined ? {} : { after }) };
          });
          const { taken, rest } = mergeRuns(pages, size);
          expect(taken.length).toBeLessThanOrEqual(size);
          listed.push(...taken.map(({ info }) => runIdOf(info)));
          positions = rest;
        }
        expect(listed).toEqual(sorted.map(({ run }) => runIdOf(run)));
      }),
    );
  });
});

describe('the filter by engine', () => {
  const engines = ['temporal', 'postgres'];
  it.each([
    ['', { query: '', engines }],
    ["WorkflowType = 'a'", { query: "WorkflowType = 'a'", engines }],
    ["BranchlineEngine = 'postgres'", { query: '', engines: ['postgres'] }],
    [`BranchlineEngine="temporal" AND WorkflowType = 'a'`, { query: "WorkflowType = 'a'", engines: ['temporal'] }],
    ["WorkflowType = 'a' AND BranchlineEngine = 'postgres'", { query: "WorkflowType = 'a'", engines: ['postgres'] }],
    ["BranchlineEngine = 'postgres' AND (A = 1 OR B = 2)", { query: '(A = 1 OR B = 2)', engines: ['postgres'] }],
  ])('%s', (query, expected) => {
    expect(splitEngineFilter(query, engines)).toEqual(expected);
  });

  it.each([
    "BranchlineEngine = 'mars'",
    "BranchlineEngine != 'postgres'",
    "A = 1 OR BranchlineEngine = 'postgres'",
    "A = 1 OR B = 2 AND BranchlineEngine = 'postgres'",
    "(A = 1) OR (B = 2) AND BranchlineEngine = 'postgres'",
    "A = 1 AND BranchlineEngine = 'postgres' AND B = 2",
  ])('is refused in %s', (query) => {
    expect(() => splitEngineFilter(query, engines)).toThrow('BRANCHLINE_ROUTER_ENGINE_FILTER');
  });
});

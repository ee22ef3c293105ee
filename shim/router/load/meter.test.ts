import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRoutes } from '../routes/schema';
import { type TypeRate, breakEven } from './meter';

const routes = parseRoutes({
  meter: { ceilingPerSecond: 100, moveBackAt: 0.5 },
  rules: [{ name: 'batch', workflowType: ['batch', 'import'], engine: 'postgres', movable: true }],
});
const rate = (workflowType: string, postgres: number, temporal = 0): TypeRate => ({
  workflowType,
  perSecond: { postgres, temporal },
});

it('suggests nothing below the line, whatever runs on the other engine', () => {
  const { share, suggestions, rows } = breakEven([rate('signup', 10, 500), rate('batch', 39.9)], routes, 'postgres');
  expect(share).toBeCloseTo(0.499);
  expect(suggestions).toEqual([]);
  expect(rows.map(({ workflowType, movable }) => [workflowType, movable])).toEqual([
    ['batch', true],
    ['signup', false],
  ]);
});

it('suggests the largest types until the rest stays below the line', () => {
  const rates = [rate('signup', 30), rate('batch', 45), rate('billing', 40)];
  expect(breakEven(rates, routes, 'postgres').suggestions).toEqual([
    'move batch back to temporal: 45.00 starts/s are 45.0 % of the 100/s that postgres was measured to take, all types together 115.0 %, the line is at 50.0 %',
    'move billing back to temporal: 40.00 starts/s are 40.0 % of the 100/s that postgres was measured to take, all types together 115.0 %, the line is at 50.0 % (no rule says that it is movable)',
  ]);
});

it('leaves less than the line, and no suggestion too many', () => {
  const rates = fc.array(fc.nat({ max: 200 }), { maxLength: 12 });
  fc.assert(
    fc.property(rates, (numbers) => {
      const meter = breakEven(
        numbers.map((number, i) => rate(`t${i}`, number)),
        routes,
        'postgres',
      );
      const moved = meter.rows.slice(0, meter.suggestions.length);
      const rest = meter.share - moved.reduce((sum, row) => sum + row.share, 0);
      expect(rest).toBeLessThan(0.5 + 1e-9);
      const last = moved.at(-1);
      if (last !== undefined) expect(rest + last.share).toBeGreaterThan(0.5 - 1e-9);
    }),
  );
});

import { expect, it } from 'vitest';
import { type Budgets, type Load, judge } from './budgets';

it.each<[string, Load, Budgets, string, string[], string[]]>([
  ['well below', { connections: 10 }, { connections: 80 }, 'below', [], []],
  ['nearly', { connections: 70 }, { connections: 80 }, 'near', [], []],
  ['at the budget', { connections: 80 }, { connections: 80 }, 'near', [], []],
  ['over', { connections: 81 }, { connections: 80 }, 'over', ['connections: 81, budget 80'], []],
  [
    'each that is over is named',
    { connections: 90, commitsPerSecond: 700.126, deadTuples: 1 },
    { connections: 80, commitsPerSecond: 500, deadTuples: 1000 },
    'over',
    ['connections: 90, budget 80', 'commitsPerSecond: 700.13, budget 500'],
    [],
  ],
  ['what has no budget does not count', { connections: 1000, latencyMs: 1 }, { latencyMs: 100 }, 'below', [], []],
  [
    'what is not known neither begins nor ends it',
    {},
    { replicationLagSeconds: 5 },
    'near',
    [],
    ['replicationLagSeconds'],
  ],
  [
    'what is not known does not hide what is over',
    { latencyMs: 900 },
    { replicationLagSeconds: 5, latencyMs: 250 },
    'over',
    ['latencyMs: 900, budget 250'],
    ['replicationLagSeconds'],
  ],
])('%s', (_, load, budgets, level, reasons, unknown) => {
  expect(judge(load, budgets, 0.8)).toEqual({ level, reasons, unknown });
});

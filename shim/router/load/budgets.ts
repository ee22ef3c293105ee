/** A look at the database held against the budgets. Pure. */
import type { Guard } from '../routes/schema';
import type { Level } from './phases';

export type Budgets = Guard['budgets'];
export type BudgetName = keyof Budgets;

/** Undefined: it could not be measured (yet). */
export type Load = Partial<Record<BudgetName, number>>;

export interface Judgement {
  level: Level;
  /** One for each budget that is exceeded: `connections: 95, budget 80`. */
  reasons: string[];
  /** Budgets of which nothing is known. */
  unknown: BudgetName[];
}

/** `relax`: share of a budget below which it counts as well below. What is not known is no reason, and none to divert no more. */
export function judge(load: Load, budgets: Budgets, relax: number): Judgement {
  const reasons: string[] = [];
  const unknown: BudgetName[] = [];
  let level: Level = 'below';
  for (const [name, budget] of Object.entries(budgets) as [BudgetName, number | undefined][]) {
    if (budget === undefined) continue;
    const value = load[name];
    if (value === undefined) unknown.push(name);
    if (value !== undefined && value > budget) {
      reasons.push(`${name}: ${round(value)}, budget ${budget}`);
      level = 'over';
    } else if (level !== 'over' && (value === undefined || value > budget * relax)) level = 'near';
  }
  return { level, reasons, unknown };
}

export const round = (value: number): string => String(Math.round(value * 100) / 100);

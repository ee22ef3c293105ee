/** Rules and the rest of the routes, as the flags of `branchline route set` say them. */
import { BranchlineError } from '../common/branchline-error';
import type { RoutesInput, Rule } from '../router';

export interface RuleFlags {
  engine?: string;
  type?: string[];
  taskQueue?: string[];
  in?: string[];
  tenant?: string[];
  idPattern?: string;
  from?: string;
  until?: string;
  before?: string;
  file?: string;
  engines?: string[];
  default?: string;
  tenantFrom?: string;
  movable?: boolean;
  children?: boolean;
  guard?: string;
  budgets?: string[];
  ceiling?: number;
}

/** `there`: the rule of that name, of which stays what the flags do not speak of. */
export function ruleOf(name: string, percentage: string | undefined, flags: RuleFlags, there?: Rule): Rule {
  const conditions = {
    ...several('workflowType', flags.type),
    ...several('taskQueue', flags.taskQueue),
    ...several('namespace', flags.in),
    ...several('tenant', flags.tenant),
    ...(flags.idPattern === undefined ? {} : { workflowId: { pattern: flags.idPattern } }),
  };
  // `route set signup 10%`, `route set billing --tenant a,b`: the name says the type.
  const says = ['workflowType', 'taskQueue', 'namespace', 'workflowId'].some((field) => field in conditions);
  return {
    ...(there ?? { name, engine: 'postgres', ...(says ? {} : { workflowType: name }) }),
    ...(flags.engine === undefined ? {} : { engine: flags.engine }),
    ...conditions,
    ...(percentage === undefined ? {} : { percentage: percentOf(percentage) }),
    ...(flags.movable === true ? { movable: true } : {}),
    ...(flags.children === true ? { children: true } : {}),
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(flags.until === undefined ? {} : { until: flags.until }),
  };
}

const several = (field: string, values: string[] | undefined): Record<string, string | string[]> =>
  values === undefined ? {} : { [field]: values.length === 1 ? values[0]! : values };

function percentOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text);
  if (match === null) throw new BranchlineError('BRANCHLINE_OPTION', `'${text}' is not a percentage such as 10%.`);
  return Number(match[1]);
}

/** The load guard and the ceiling of the meter, as far as the flags speak of them. */
export function withLoad(routes: RoutesInput, { guard: mode, budgets, ceiling }: RuleFlags): RoutesInput {
  let next = routes;
  if (mode !== undefined || budgets !== undefined) {
    const guard = {
      ...(routes.guard ?? { budgets: {} }),
      ...(mode === undefined ? {} : { mode }),
      ...(budgets === undefined ? {} : { budgets: Object.fromEntries(budgets.map(budgetOf)) }),
    };
    next = { ...next, guard: guard as RoutesInput['guard'] };
  }
  return ceiling === undefined ? next : { ...next, meter: { ...routes.meter, ceilingPerSecond: ceiling } };
}

function budgetOf(text: string): [string, number] {
  const [, name, value] = /^(\w+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (name === undefined)
    throw new BranchlineError('BRANCHLINE_OPTION', `'${text}' is not a budget such as connections=80.`);
  return [name, Number(value)];
}

export function tenantSource(text: string): RoutesInput['tenant'] {
  if (text === 'function') return 'function';
  const [, where, what] = /^(search-attribute|memo|header|id):(.+)$/.exec(text) ?? [];
  if (what === undefined) {
    throw new BranchlineError(
      'BRANCHLINE_OPTION',
      `--tenant-from '${text}' is none of search-attribute:Name, memo:key, header:key, id:<regexp>, function.`,
    );
  }
  if (where === 'search-attribute') return { searchAttribute: what };
  return where === 'memo' ? { memo: what } : where === 'header' ? { header: what } : { idPattern: what };
}

/** What routes may say, checked by zod: every refusal names the path of what is wrong. */
import { z } from 'zod';
import { BranchlineError } from '../../common/branchline-error';

const MAX_RULES = 1000;

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/, 'use letters, digits and . _ : -, at most 100, a letter or digit first');

/** One text or several, of which one must be equal; or a regular expression (whole text). */
const texts = z.union([z.string().min(1), z.array(z.string().min(1)).min(1), z.strictObject({ pattern: pattern() })]);

const time = z.iso.datetime({ offset: true, error: 'write a time as ISO 8601 with zone: 2026-12-01T00:00:00Z' });

const ruleSchema = z
  .strictObject({
    name,
    /** Engine that takes the start. */
    engine: name,
    workflowType: texts.optional(),
    taskQueue: texts.optional(),
    namespace: texts.optional(),
    tenant: texts.optional(),
    workflowId: texts.optional(),
    /** Of workflow ids, by a hash that never changes: who is in at 10 is in at 50. Steps of 0.01. */
    percentage: z.number().min(0).max(100).optional(),
    /** Children of such a kind go there as well, when their parent is elsewhere (option `across` of createWorkers). Default: they stay with their parent. */
    children: z.boolean().optional(),
    /** From this time on, and before that one. */
    from: time.optional(),
    until: time.optional(),
    /** New workflows of it may go to the engine of the load guard while Postgres is over a budget. */
    movable: z.boolean().optional(),
  })
  .refine(({ from, until }) => from === undefined || until === undefined || Date.parse(from) < Date.parse(until), {
    path: ['until'],
    error: 'it is not after `from`',
  });

/** Where the tenant of a start is found. `function`: the one given to RoutedConnection.connect. */
const tenantSource = z.union([
  z.strictObject({ searchAttribute: z.string().min(1) }),
  z.strictObject({ memo: z.string().min(1) }),
  z.strictObject({ header: z.string().min(1) }),
  z.strictObject({
    idPattern: pattern(/\((?!\?(?!<[A-Za-z]))/, 'it needs a group: the tenant is what the first one matches'),
  }),
  z.literal('function'),
]);

const budget = z.number().positive().optional();
const seconds = (standard: number, least = 0): z.ZodDefault<z.ZodNumber> =>
  z.number().min(least).max(86_400).default(standard);

/** Keeps new starts of movable rules from the home Postgres while it is over a budget. */
const guardSchema = z.strictObject({
  /** dry-run: says and writes down what it would do. */
  mode: z.enum(['off', 'dry-run', 'on']).default('dry-run'),
  /** The home engine, and where starts go instead. */
  from: name.default('postgres'),
  to: name.default('temporal'),
  budgets: z
    .strictObject({
      /** Client connections to the whole server. */
      connections: budget,
      /** Transactions that write, of the whole server. */
      commitsPerSecond: budget,
      /** Of Branchline's tables, as Postgres's statistics estimate them. */
      deadTuples: budget,
      /** Of the slowest replica. */
      replicationLagSeconds: budget,
      /** What the function given to RoutedConnection.connect says; without one, how long a commit takes. */
      latencyMs: budget,
    })
    .refine((budgets) => Object.values(budgets).some((value) => value !== undefined), 'give one budget at least'),
  /** Over a budget for that long before starts are diverted. */
  afterSeconds: seconds(10),
  /** Below `relax` of all budgets for that long before they come back. */
  quietSeconds: seconds(60),
  relax: z.number().min(0.1).max(1).default(0.8),
  sampleSeconds: seconds(5, 0.05),
});

/** The break-even meter of `branchline route load`. */
const meterSchema = z.strictObject({
  /** Starts per second that this Postgres was measured to take. */
  ceilingPerSecond: z.number().positive().optional(),
  /** Share of it from which a type had better move back. */
  moveBackAt: z.number().min(0.01).max(1).optional(),
  to: name.optional(),
});

export const routesSchema = z
  .strictObject({
    /** Names of all engines that rules may name. */
    engines: z.array(name).min(1).default(['temporal', 'postgres']),
    /** Engine of starts that no rule takes. */
    default: name.default('temporal'),
    tenant: tenantSource.optional(),
    /** The first that matches decides. */
    rules: z.array(ruleSchema).max(MAX_RULES).default([]),
    guard: guardSchema.optional(),
    meter: meterSchema.optional(),
  })
  .superRefine((routes, context) => {
    const refuse = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const known = new Set(routes.engines);
    const unknown = (engine: string): string => `no engine '${engine}': there are ${routes.engines.join(', ')}`;
    if (known.size < routes.engines.length) refuse(['engines'], 'an engine is named twice');
    if (!known.has(routes.default)) refuse(['default'], unknown(routes.default));
    const { guard } = routes;
    if (guard !== undefined) {
      for (const end of ['from', 'to'] as const) {
        if (!known.has(guard[end])) refuse(['guard', end], unknown(guard[end]));
      }
      if (guard.from === guard.to) refuse(['guard', 'to'], 'it is the engine that is guarded');
    }
    const names = new Set<string>();
    routes.rules.forEach((rule, i) => {
      if (!known.has(rule.engine)) refuse(['rules', i, 'engine'], unknown(rule.engine));
      if (names.has(rule.name)) refuse(['rules', i, 'name'], `a rule '${rule.name}' stands above`);
      if (rule.tenant !== undefined && routes.tenant === undefined) {
        refuse(['rules', i, 'tenant'], 'say in `tenant` (of the routes) where the tenant of a start is found');
      }
      names.add(rule.name);
    });
  });

/** Routes as they are written; what is left out has a default. */
export type RoutesInput = z.input<typeof routesSchema>;
/** Checked routes, defaults filled in. */
export type Routes = z.output<typeof routesSchema>;
export type Rule = Routes['rules'][number];
export type Guard = NonNullable<Routes['guard']>;
export type Texts = NonNullable<Rule['workflowType']>;
export type TenantSource = NonNullable<Routes['tenant']>;

/** Routes that cannot be taken. `issues` has one sentence per fault, the path first (`rules[2].percentage: …`). */
export class RoutesError extends BranchlineError {
  constructor(readonly issues: string[]) {
    super('BRANCHLINE_ROUTES_INVALID', `The routes are not valid:\n${issues.map((issue) => `  ${issue}`).join('\n')}`);
    this.name = 'RoutesError';
  }
}

/** @throws RoutesError */
export function parseRoutes(input: unknown): Routes {
  const result = routesSchema.safeParse(input);
  if (result.success) return result.data;
  throw new RoutesError(result.error.issues.flatMap((issue) => sentences(issue, [])));
}

/** Of a union, the alternative that came furthest says what is wrong. */
function sentences(issue: z.core.$ZodIssue, above: PropertyKey[]): string[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const depth = (issues: z.core.$ZodIssue[]): number => Math.max(...issues.map(({ path }) => path.length));
    const closest = issue.errors.reduce((best, next) => (depth(next) > depth(best) ? next : best));
    if (depth(closest) > 0) return closest.flatMap((inner) => sentences(inner, path));
    return [`${pathText(path)}: none of the forms that it may have`];
  }
  return [`${pathText(path)}: ${issue.message}`];
}

function pathText(path: PropertyKey[]): string {
  if (path.length === 0) return 'routes';
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

function pattern(needs?: RegExp, otherwise?: string): z.ZodType<string, string> {
  return z
    .string()
    .min(1)
    .max(500)
    .superRefine((text, context) => {
      try {
        new RegExp(text, 'u');
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return;
      }
      if (needs !== undefined && !needs.test(text)) context.addIssue({ code: 'custom', message: otherwise ?? '' });
    });
}

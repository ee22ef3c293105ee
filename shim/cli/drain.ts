/** `branchline drain`: sends new starts elsewhere, and shows what is still open. */
import { userInfo } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ConnectionLike } from '@temporalio/client';
import { BranchlineError } from '../common/branchline-error';
import type { DrainReport, Rule, StoredRoutes, StoredVersion } from '../router';
import { type DatabaseFlags, withDatabase } from './database';
import { warnOfProspects } from './route-prospects';

interface DrainFlags extends DatabaseFlags {
  from: string;
  to?: string;
  temporal?: string;
  namespace: string;
  by: string;
  reason?: string;
  routes: boolean;
  show: number;
  wait?: boolean;
}

const LOOK_EVERY_MS = 5000;
/** A zero counts when it is one twice: Temporal's visibility is behind by a second, and processes that missed the notice go by the routes before for up to five. */
const SURE_MS = 7000;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

export function drainCommand(): Command {
  return new Command('drain')
    .description('Send new starts of a rule or workflow type to another engine, and show what is still open')
    .argument('<rule-or-type>')
    .option('--from <engine>', 'engine that is drained', 'temporal')
    .option('--to <engine>', 'engine of new starts (else postgres, or temporal when postgres is drained)')
    .option('--temporal <address>', 'the Temporal server, when it is the one that is drained')
    .option('-n, --namespace <name>', 'namespace', 'default')
    .option('--db <url>', 'postgres:// URL (else BRANCHLINE_URL, DATABASE_URL, PGHOST …)')
    .option('--schema <name>', "schema of Branchline's tables (else branchline)")
    .addOption(new Option('--by <name>', 'who changes the routes').default(userInfo().username))
    .option('--reason <text>', 'why')
    .option('--no-routes', 'leave the routes as they are: only show')
    .option('--show <n>', 'oldest open runs that are shown', count, 10)
    .option('--wait', 'look until nothing is open')
    .action(drain);
}

function count(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= 1000) return number;
  throw new InvalidArgumentError('It must be a whole number up to 1000.');
}

async function drain(name: string, flags: DrainFlags): Promise<void> {
  const { StoredRoutes } = await import('../router/index.js');
  await withDatabase(flags, async (postgres) => {
    const stored = await StoredRoutes.open(postgres);
    const before = await stored.current();
    const rule = before.routes.rules.find((rule) => rule.name === name);
    const kind = kindOf(name, rule);
    if (flags.routes) {
      const { routes } = await sendElsewhere(stored, name, rule, flags);
      await warnOfProspects(before.routes, routes, postgres, undefined, flags);
    }
    if (flags.from === 'postgres') return report(postgres, stored, kind, flags);
    if (flags.temporal === undefined) {
      throw new BranchlineError(
        'BRANCHLINE_OPTION',
        `Give --temporal <address>: engine '${flags.from}' is asked there.`,
      );
    }
    const { Connection } = await import('@temporalio/client');
    const temporal = await Connection.connect({ address: flags.temporal });
    try {
      await report(temporal, stored, kind, flags);
    } finally {
      await temporal.close();
    }
  });
}

interface Kind {
  workflowTypes: string[];
  taskQueues: string[];
}

/** @throws BranchlineError BRANCHLINE_DRAIN for a rule whose runs a list filter cannot name */
function kindOf(name: string, rule: Rule | undefined): Kind {
  if (rule === undefined) return { workflowTypes: [name], taskQueues: [] };
  const texts = (field: 'workflowType' | 'taskQueue'): string[] => {
    const value = rule[field];
    if (value === undefined) return [];
    if (typeof value === 'string') return [value];
    if (Array.isArray(value)) return value;
    throw new BranchlineError('BRANCHLINE_DRAIN', `Rule '${name}' has a pattern as ${field}: drain the types by name.`);
  };
  const kind = { workflowTypes: texts('workflowType'), taskQueues: texts('taskQueue') };
  if (kind.workflowTypes.length + kind.taskQueues.length === 0) {
    throw new BranchlineError(
      'BRANCHLINE_DRAIN',
      `Rule '${name}' names no workflow type and no task queue: drain types by name.`,
    );
  }
  return kind;
}

async function sendElsewhere(
  stored: StoredRoutes,
  name: string,
  rule: Rule | undefined,
  { from, to = from === 'postgres' ? 'temporal' : 'postgres', by, reason }: DrainFlags,
): Promise<StoredVersion> {
  const { withRule, ruleText } = await import('../router/index.js');
  const how = { by, reason: reason ?? `drain ${name} from ${from}` };
  const next: Rule =
    rule === undefined
      ? { name: `drain-${name}`, workflowType: name, engine: to }
      : // All of them: a share that stays would never be drained.
        { ...withoutShare(rule), engine: to };
  const changed = await stored.change(
    // A rule stays in its place; a new one stands before all others.
    (routes) => withRule(routes, next, rule === undefined ? routes.rules[0]?.name : undefined),
    how,
  );
  print(`New starts: ${ruleText(next)} (routes version ${changed.version})`);
  return changed;
}

function withoutShare(rule: Rule): Rule {
  const { percentage: _share, from: _from, until: _until, ...rest } = rule;
  return rest;
}

async function report(connection: ConnectionLike, stored: StoredRoutes, kind: Kind, flags: DrainFlags): Promise<void> {
  const { drainReport } = await import('../router/index.js');
  const { namespace, show, wait, from } = flags;
  const look = (): Promise<DrainReport> => drainReport(connection, { namespace, ...kind }, show, stored.nowMs());
  for (;;) {
    const found = await look();
    const starting = await stored.startsUnderWay(from);
    if (found.open === 0 && starting === 0) {
      await new Promise((resolve) => setTimeout(resolve, SURE_MS));
      const again = await look();
      if (again.open === 0 && (await stored.startsUnderWay(from)) === 0) {
        print(`zero: ${from} has none open`);
        return;
      }
      continue;
    }
    for (const line of lines(found, starting, from)) print(line);
    if (wait !== true) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function lines({ open, oldest, estimate }: DrainReport, starting: number, engine: string): string[] {
  const { halfMs, allMs, beyond } = estimate;
  return [
    `${open} open on ${engine}${starting === 0 ? '' : `, ${starting} starts of any kind under way there`}`,
    halfMs === undefined || allMs === undefined
      ? 'No estimate: none that took longer has closed yet.'
      : `Half of them closed in about ${duration(halfMs)}, all in about ${duration(allMs)}, by how long closed ones took.`,
    ...(beyond === 0 || halfMs === undefined
      ? []
      : [`${beyond} are older than any that has closed: no estimate for them.`]),
    ...oldest.map(({ workflowId, ageMs, waitsFor, nextWakeMs }) => {
      const wakes = nextWakeMs === undefined ? '' : `; goes on at ${new Date(nextWakeMs).toISOString()}`;
      return `  ${workflowId}: ${duration(ageMs)} old, waits for ${waitsFor}${wakes}`;
    }),
  ];
}

function duration(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ];
  const [size, unit] = units.find(([size]) => ms >= size) ?? [1, 'ms'];
  return `${Math.round(ms / size)} ${unit}`;
}

/** `branchline route`: the routes stored in Postgres. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import type { Connection } from '../client/connection';
import { BranchlineError } from '../common/branchline-error';
import type { Guard, RoutesInput, StartFacts, StoredRoutes, StoredVersion } from '../router';
import { type DatabaseFlags, withDatabase } from './database';
import { type RuleFlags, ruleOf, tenantSource, withLoad } from './route-flags';
import { showLoad } from './route-load';
import { type ProspectFlags, warnOfProspects } from './route-prospects';

interface ChangeFlags extends DatabaseFlags {
  by: string;
  reason?: string;
  expect?: number;
}
interface StartFlags extends DatabaseFlags {
  type?: string;
  taskQueue?: string;
  namespace: string;
  tenant?: string;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const list = (value: string, previous: string[] = []): string[] => [
  ...previous,
  ...value.split(',').filter((text) => text !== ''),
];

export function routeCommand(): Command {
  const changing = (command: Command): Command =>
    command
      .addOption(new Option('--by <name>', 'who changes it, for the history').default(userInfo().username))
      .option('--reason <text>', 'why, for the history')
      .option('--expect <version>', 'refuse when this is not the newest version', whole);
  const asking = (command: Command): Command =>
    command
      .option('--temporal <address>', 'Temporal server that is asked for workers, and for the task queues of workflows')
      .option('--temporal-namespace <name>', "namespace there, in place of the rule's");
  return new Command('route')
    .description('Say where new workflows start')
    .addCommand(database(new Command('list').description('The routes in force')).action(showList))
    .addCommand(
      asking(changing(database(new Command('set'))))
        .description('Make a rule, or change what is said of it here, or the whole (--file)')
        .argument('[rule]', 'name of the rule; without --type and the like it is the workflow type that it takes')
        .argument('[percentage]', 'of workflow ids, such as 10%')
        .option('-e, --engine <name>', 'engine that takes them (a new rule: postgres)')
        .option('--type <names>', 'workflow types, separated by commas', list)
        .option('--task-queue <names>', 'task queues', list)
        .option('--in <namespaces>', 'namespaces', list)
        .option('--tenant <names>', 'tenants', list)
        .option('--id-pattern <regexp>', 'whole workflow ids')
        .option('--from <time>', 'from then on (ISO 8601 with zone)')
        .option('--until <time>', 'before then')
        .option('--before <rule>', 'stands before that rule')
        .option('--engines <names>', 'names of all engines (else temporal and postgres)', list)
        .option('--default <engine>', 'engine of what no rule takes')
        .option(
          '--tenant-from <where>',
          'search-attribute:Name, memo:key, header:key, id:<regexp with a group> or function',
        )
        .option('--children', 'children of that kind go there too, when their parent is elsewhere')
        .option('--movable', 'the load guard may send new starts of it elsewhere')
        .addOption(new Option('--guard <mode>', 'load guard of the home Postgres').choices(['off', 'dry-run', 'on']))
        .option('--budgets <list>', 'its budgets, such as connections=80,latencyMs=250', list)
        .option('--ceiling <n>', 'starts per second that this Postgres was measured to take', positive)
        .option('--file <path>', 'take all from a JSON file')
        .action(set),
    )
    .addCommand(
      changing(database(new Command('remove')))
        .description('Take a rule away')
        .argument('<rule>')
        .action(remove),
    )
    .addCommand(
      database(new Command('explain'))
        .description('Say where an id is, or where a start would go and by which rule')
        .argument('<workflow-id>')
        .option('--type <name>', 'workflow type of the start')
        .option('--task-queue <name>', 'its task queue')
        .option('-n, --namespace <name>', 'its namespace', 'default')
        .option('--tenant <name>', 'its tenant, unless the id says it')
        .action(explainId),
    )
    .addCommand(
      database(new Command('history'))
        .description('All changes: who, when, why, from what to what')
        .option('--limit <n>', 'newest that are shown', whole, 20)
        .action(showHistory),
    )
    .addCommand(
      asking(changing(database(new Command('rollback'))))
        .description('Put an earlier version in force again')
        .argument('[version]', 'default: the one before the newest', whole)
        .action(rollback),
    )
    .addCommand(
      asking(database(new Command('load')))
        .description('The load guard, what workflow types start per second, and which had better move back')
        .option('-n, --namespace <name>', 'namespace', 'default')
        .option('--window <seconds>', 'starts of that long are counted', whole, 60)
        .action(showLoad),
    )
    .addCommand(
      database(new Command('test'))
        .description('Hold routes against a JSON list of {"start": {"workflowId", "workflowType", …}, "engine"}')
        .argument('<cases>', 'JSON file')
        .option('--routes <file>', 'of that file, instead of the stored ones')
        .option('--at <time>', 'at that time (ISO 8601), instead of now')
        .action(test),
    );
}

const database = (command: Command): Command =>
  command
    .option('--db <url>', 'postgres:// URL (else BRANCHLINE_URL, DATABASE_URL, PGHOST …)')
    .option('--schema <name>', "schema of Branchline's tables (else branchline)");

function whole(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new BranchlineError('BRANCHLINE_OPTION', `'${value}' is not a whole number.`);
}

function positive(value: string): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new BranchlineError('BRANCHLINE_OPTION', `'${value}' is not a number above 0.`);
}

/** Runs on the stored routes. */
async function withRoutes<R>(
  flags: DatabaseFlags,
  work: (routes: StoredRoutes, postgres: Connection) => Promise<R>,
): Promise<R> {
  const { StoredRoutes } = await import('../router/index.js');
  return withDatabase(flags, async (connection) => work(await StoredRoutes.open(connection), connection));
}

async function lines({ version, routes }: StoredVersion): Promise<string[]> {
  const { ruleText } = await import('../router/index.js');
  const tenant = routes.tenant === undefined ? [] : [`tenant from ${JSON.stringify(routes.tenant)}`];
  return [
    `Version ${version}${version === 0 ? ' (nothing was stored yet)' : ''}`,
    ...tenant,
    ...guardText(routes.guard),
    ...routes.rules.map((rule, i) => `${i + 1}. ${ruleText(rule)}`),
    `else → ${routes.default}`,
  ];
}

const guardText = (guard: Guard | undefined): string[] =>
  guard === undefined
    ? []
    : [
        `load guard ${guard.mode}: ${guard.from} → ${guard.to} over ${Object.entries(guard.budgets)
          .map(([name, budget]) => `${name} ${budget}`)
          .join(', ')}`,
      ];

async function showList(flags: DatabaseFlags): Promise<void> {
  await withRoutes(flags, async (routes) => {
    for (const line of await lines(await routes.current())) print(line);
    for (const { engine, taskQueue, sentence } of await routes.payloadMismatches()) {
      print(
        `! nothing is started on ${engine} for task queue ${taskQueue}: ${sentence} (BRANCHLINE_ROUTER_PAYLOAD_MISMATCH)`,
      );
    }
  });
}

async function set(
  name: string | undefined,
  percentage: string | undefined,
  flags: RuleFlags & ChangeFlags & ProspectFlags,
): Promise<void> {
  const { withRule, parseRoutes } = await import('../router/index.js');
  if (
    name === undefined &&
    flags.file === undefined &&
    [flags.default, flags.tenantFrom, flags.engines, flags.guard, flags.budgets, flags.ceiling].every(
      (flag) => flag === undefined,
    )
  ) {
    throw new BranchlineError(
      'BRANCHLINE_OPTION',
      'Name a rule, or give --file, --engines, --default, --tenant-from, --guard, --budgets or --ceiling.',
    );
  }
  const from = flags.file === undefined ? undefined : readJson(flags.file);
  const tenant = flags.tenantFrom === undefined ? undefined : tenantSource(flags.tenantFrom);
  await withRoutes(flags, async (routes, postgres) => {
    const before = await routes.current();
    const changed = await routes.change(
      (current) => {
        let next: RoutesInput = from === undefined ? current : (from as RoutesInput);
        if (tenant !== undefined) next = { ...next, tenant };
        if (flags.engines !== undefined) next = { ...next, engines: flags.engines };
        if (flags.default !== undefined) next = { ...next, default: flags.default };
        next = withLoad(next, flags);
        if (name === undefined) return next;
        const routes = parseRoutes(next);
        const there = routes.rules.find((rule) => rule.name === name);
        return withRule(routes, ruleOf(name, percentage, flags, there), flags.before);
      },
      howOf(flags, `route set ${name ?? ''} ${percentage ?? ''}`),
    );
    for (const line of await lines(changed)) print(line);
    await warnOfProspects(before.routes, changed.routes, postgres, name, flags);
  });
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new BranchlineError('BRANCHLINE_ROUTES_FILE', `${file}: ${(error as Error).message}`, { cause: error });
  }
}

const howOf = ({ by, reason, expect }: ChangeFlags, words: string) => ({
  by,
  reason: reason ?? words.trim(),
  ...(expect === undefined ? {} : { expectedVersion: expect }),
});

async function remove(name: string, flags: ChangeFlags): Promise<void> {
  const { withoutRule } = await import('../router/index.js');
  await withRoutes(flags, async (routes) => {
    const changed = await routes.change(
      (current) => {
        const next = withoutRule(current, name);
        if (next === undefined) throw new BranchlineError('BRANCHLINE_ROUTES_RULE', `There is no rule '${name}'.`);
        return next;
      },
      howOf(flags, `route remove ${name}`),
    );
    for (const line of await lines(changed)) print(line);
  });
}

async function explainId(workflowId: string, flags: StartFlags): Promise<void> {
  const { explain, shareOf, startFacts } = await import('../router/index.js');
  await withRoutes(flags, async (stored) => {
    const { namespace, type = '', taskQueue = '', tenant } = flags;
    const reserved = await stored.reservation(namespace, workflowId);
    if (reserved === undefined)
      print(`${workflowId}: the router has not started it; an engine may have it all the same.`);
    else {
      const past = reserved.past.length === 0 ? '' : `; before on ${reserved.past.join(', ')}`;
      print(
        `${workflowId}: is on ${reserved.engine}${past}. A start while a run is open goes there whatever the routes say.`,
      );
    }
    const { routes, version } = await stored.current();
    const request = { namespace, workflowId, workflowType: { name: type }, taskQueue: { name: taskQueue } };
    const source = routes.tenant === 'function' ? undefined : routes.tenant;
    const facts: StartFacts = { ...startFacts(request, source), ...(tenant === undefined ? {} : { tenant }) };
    const { decision, rules } = explain(routes, facts, stored.nowMs());
    print(`By the routes (version ${version}; the id stands at ${shareOf(workflowId).toFixed(2)} %):`);
    for (const { rule, engine, refusal } of rules) print(`  ${rule}: ${refusal ?? `takes it → ${engine}`}`);
    if (decision.rule === undefined) print(`  no rule takes it → ${decision.engine}`);
  });
}

async function showHistory({ limit, ...flags }: DatabaseFlags & { limit: number }): Promise<void> {
  await withRoutes(flags, async (routes) => {
    // One more, to say what the oldest shown came from.
    const versions = await routes.history(limit + 1);
    for (const [i, version] of versions.slice(0, limit).entries()) {
      const { changedAt, changedBy, reason, restores } = version;
      const back = restores === undefined ? '' : ` (version ${restores} again)`;
      print(`${changedAt?.toISOString()} ${changedBy}: ${reason}${back}`);
      const before = versions[i + 1];
      const [was, is] = [before === undefined ? [] : (await lines(before)).slice(1), (await lines(version)).slice(1)];
      print(`  version ${version.version}`);
      for (const line of was.filter((line) => !is.includes(line))) print(`  - ${line}`);
      for (const line of is.filter((line) => !was.includes(line))) print(`  + ${line}`);
    }
  });
}

async function rollback(version: number | undefined, flags: ChangeFlags & ProspectFlags): Promise<void> {
  await withRoutes(flags, async (routes, postgres) => {
    const before = await routes.current();
    const to = version ?? before.version - 1;
    const changed = await routes.rollback(to, howOf(flags, `route rollback ${to}`));
    for (const line of await lines(changed)) print(line);
    await warnOfProspects(before.routes, changed.routes, postgres, undefined, flags);
  });
}

async function test(file: string, flags: DatabaseFlags & { routes?: string; at?: string }): Promise<void> {
  const { decide, parseRoutes } = await import('../router/index.js');
  const cases = readJson(file);
  const given = flags.at === undefined ? undefined : Date.parse(flags.at);
  if (!Array.isArray(cases) || Number.isNaN(given)) {
    throw new BranchlineError(
      'BRANCHLINE_OPTION',
      Number.isNaN(given) ? `--at '${flags.at}' is no time.` : `${file}: not a list.`,
    );
  }
  const { routes, nowMs, mismatches } =
    flags.routes === undefined
      ? await withRoutes(flags, async (stored) => ({
          ...(await stored.current()),
          nowMs: stored.nowMs(),
          mismatches: await stored.payloadMismatches(),
        }))
      : { routes: parseRoutes(readJson(flags.routes)), nowMs: Date.now(), mismatches: [] };
  let failed = 0;
  for (const [i, { start, engine }] of (cases as { start: Partial<StartFacts>; engine: string }[]).entries()) {
    const facts = { namespace: 'default', workflowId: '', workflowType: '', taskQueue: '', ...start };
    const decision = decide(routes, facts, given ?? nowMs);
    const refused = mismatches.find(
      (one) => one.engine === decision.engine && one.namespace === facts.namespace && one.taskQueue === facts.taskQueue,
    );
    if (decision.engine === engine && refused === undefined) continue;
    failed++;
    const said = `case ${i + 1} ${JSON.stringify(start)}: ${decision.engine} (${decision.rule ?? 'default'})`;
    print(refused === undefined ? `${said}, not ${engine}` : `${said}, refused there: ${refused.sentence}`);
  }
  print(`${cases.length - failed} of ${cases.length} as expected`);
  if (failed > 0) process.exitCode = 1;
}

/** `branchline route load`: the load guard, and the break-even meter. */
import { BranchlineError } from '../common/branchline-error';
import type { Guard, LoadReport, Meter } from '../router';
import { type DatabaseFlags, withDatabase } from './database';

export interface LoadFlags extends DatabaseFlags {
  namespace: string;
  temporal?: string;
  temporalNamespace?: string;
  window: number;
}

const EVENTS = 5;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

export async function showLoad({
  namespace,
  temporal: address,
  temporalNamespace,
  window,
  ...flags
}: LoadFlags): Promise<void> {
  if (window < 1) throw new BranchlineError('BRANCHLINE_OPTION', '--window is a second at least.');
  const { StoredRoutes, breakEven, ratesOf } = await import('../router/index.js');
  await withDatabase(flags, async (postgres) => {
    const stored = await StoredRoutes.open(postgres);
    const { routes } = await stored.current();
    for (const line of guardLines(routes.guard, await stored.load(EVENTS))) print(line);
    const temporal = address === undefined ? undefined : await connect(address);
    try {
      const engine = routes.guard?.from ?? 'postgres';
      const engines = {
        [engine]: { connection: postgres, namespace },
        ...(temporal && { temporal: { connection: temporal, namespace: temporalNamespace ?? namespace } }),
      };
      const meter = breakEven(await ratesOf(engines, window * 1000, stored.nowMs()), routes, engine);
      for (const line of meterLines(meter, Object.keys(engines), window)) print(line);
    } finally {
      await temporal?.close();
    }
  });
}

async function connect(address: string) {
  const { Connection } = await import('@temporalio/client');
  return Connection.connect({ address });
}

function guardLines(guard: Guard | undefined, { verdict, events }: LoadReport): string[] {
  if (guard === undefined || guard.mode === 'off') return ['Load guard: off'];
  const budgets = Object.entries(guard.budgets).map(([name, budget]) => {
    const value = verdict?.load[name];
    const shown = value === undefined ? 'not known' : `${Math.round(value * 100) / 100}`;
    return `  ${name}: ${shown} of ${budget}${value !== undefined && value > budget ? ' !' : ''}`;
  });
  const state =
    verdict === undefined
      ? 'nobody has looked yet'
      : `${verdict.phase} since ${new Date(verdict.sinceMs).toISOString()}, looked ${Math.round(verdict.ageMs / 1000)} s ago`;
  return [
    `Load guard: ${guard.mode}, ${guard.from} → ${guard.to}; ${state}`,
    ...budgets,
    ...events.map(
      ({ atMs, mode, diverting, reasons }) =>
        `  ${new Date(atMs).toISOString()} ${diverting ? 'diverting' : 'no more'} (${mode})${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`,
    ),
  ];
}

function meterLines(
  { rows, share, suggestions, ceilingPerSecond, moveBackAt }: Meter,
  engines: string[],
  window: number,
): string[] {
  const percent = (of: number): string => `${(of * 100).toFixed(1)} %`;
  const cells = [
    ['type', ...engines.map((name) => `${name}/s`), 'of ceiling', 'movable'],
    ...rows.map(({ workflowType, perSecond, share: own, movable }) => [
      workflowType,
      ...engines.map((name) => (perSecond[name] ?? 0).toFixed(2)),
      percent(own),
      movable ? 'yes' : 'no',
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return [
    `Starts of the last ${window} s; ceiling ${ceilingPerSecond}/s, all types ${percent(share)} of it, line at ${percent(moveBackAt)}`,
    ...cells.map(
      (row) =>
        `  ${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}`,
    ),
    ...(suggestions.length === 0 ? ['No type need move.'] : suggestions.map((text) => `Suggestion: ${text}`)),
  ];
}

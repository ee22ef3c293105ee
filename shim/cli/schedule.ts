/** `branchline schedule`: schedules over both engines, and handing them over. */
import { userInfo } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { RoutedConnection, ScheduleMove } from '../router';
import { type DatabaseFlags, withDatabase } from './database';

interface Flags extends DatabaseFlags {
  namespace: string;
  temporal: string;
  temporalNamespace?: string;
}
interface MoveFlags extends Flags {
  to?: string;
  undo?: boolean;
  cutAfter?: number;
  by: string;
  reason?: string;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

export function scheduleCommand(): Command {
  const common = (command: Command): Command =>
    command
      .requiredOption('--temporal <address>', 'the Temporal server')
      .option('--temporal-namespace <name>', 'namespace there, where it has another name')
      .option('-n, --namespace <name>', 'namespace', 'default')
      .option('--db <url>', 'postgres:// URL (else BRANCHLINE_URL, DATABASE_URL, PGHOST …)')
      .option('--schema <name>', "schema of Branchline's tables (else branchline)");
  return new Command('schedule')
    .description('See schedules on both engines, and hand them over from one to the other')
    .addCommand(common(new Command('list')).description('All, with their engine').action(list))
    .addCommand(
      common(new Command('show'))
        .description('Where a schedule is, and which engine starts which of its times')
        .argument('<id>')
        .action(show),
    )
    .addCommand(
      common(new Command('move'))
        .description('Hand a schedule over; the same command again goes on with what was left')
        .argument('<id>')
        .option('--to <engine>', 'postgres or temporal')
        .option('--undo', 'take back a move that waits for its cut')
        .option('--cut-after <seconds>', 'cut even while workflows of it run, when that long has gone by', seconds)
        .addOption(new Option('--by <name>', 'who moves it').default(userInfo().username))
        .option('--reason <text>', 'why')
        .action(move),
    );
}

function seconds(value: string): number {
  const number = Number(value);
  if (number >= 0) return number;
  throw new InvalidArgumentError('It must be a number of seconds.');
}

async function withRouted(
  { temporal: address, temporalNamespace, ...flags }: Flags,
  work: (r: RoutedConnection) => Promise<void>,
): Promise<void> {
  const { RoutedConnection } = await import('../router/index.js');
  await withDatabase(flags, async (postgres) => {
    const temporal = {
      temporal: { address },
      ...(temporalNamespace === undefined ? {} : { namespace: temporalNamespace }),
    };
    const routed = await RoutedConnection.connect({ engines: { temporal }, postgres }, { settles: false });
    await work(routed).finally(() => routed.close());
  });
}

function moveText({ from, to, step, cutAt, movedBy, reason, begunAt, message }: ScheduleMove): string {
  const why = reason === '' ? '' : `: ${reason}`;
  const cut = cutAt === undefined ? `${from} starts all` : `${from} up to ${cutAt.toISOString()}, ${to} from then on`;
  const open = step === 'done' || step === 'undone' ? step : `UNDER WAY (${STEPS[step] ?? step})`;
  return `${begunAt.toISOString()} ${from} → ${to}, ${open} (${movedBy}${why}); ${cut}${message === undefined ? '' : `; ${message}`}`;
}

const STEPS: Partial<Record<ScheduleMove['step'], string>> = {
  ready: 'waits until none of its workflows runs',
  cutting: 'its end is being set',
  cut: 'waits until the last times before the cut are over',
};

async function list(flags: Flags): Promise<void> {
  const { namespace } = flags;
  await withRouted(flags, async (routed) => {
    const open = new Map((await routed.scheduleMoves.open()).map((move) => [move.scheduleId, move]));
    const { Client } = await import('@temporalio/client');
    const { schedule } = new Client({ connection: routed, namespace });
    for await (const { scheduleId, state, action } of schedule.list()) {
      const engine = await routed.engineOf(namespace, scheduleId, 'schedule');
      const move = open.get(scheduleId);
      const moving = move === undefined ? '' : ` → ${move.to}, UNDER WAY (${STEPS[move.step] ?? move.step})`;
      print(
        `${scheduleId}: ${action?.workflowType ?? '?'} on ${engine ?? '?'}${moving}${state.paused ? ', paused' : ''}`,
      );
    }
  });
}

async function show(scheduleId: string, flags: Flags): Promise<void> {
  const { namespace } = flags;
  await withRouted(flags, async (routed) => {
    const engine = await routed.engineOf(namespace, scheduleId, 'schedule');
    print(engine === undefined ? `No engine has ${scheduleId}.` : `${scheduleId} is on ${engine}.`);
    for (const move of await routed.scheduleMoves.of(scheduleId, namespace)) print(moveText(move));
  });
}

async function move(scheduleId: string, flags: MoveFlags): Promise<void> {
  const { namespace, to, undo, cutAfter, by, reason = '' } = flags;
  if ((to === undefined) === (undo !== true)) throw new InvalidArgumentError('Give one of --to and --undo.');
  await withRouted(flags, async ({ scheduleMoves }) => {
    if (to === undefined) return print(moveText(await scheduleMoves.undo(scheduleId, namespace)));
    const stop = new AbortController();
    process.once('SIGINT', () =>
      stop.abort(new Error('Stopped. The same command again goes on; --undo takes it back.')),
    );
    const options = { to, namespace, by, reason, signal: stop.signal };
    print(
      moveText(
        await scheduleMoves.move(scheduleId, {
          ...options,
          ...(cutAfter === undefined ? {} : { cutAfterMs: cutAfter * 1000 }),
        }),
      ),
    );
  });
}

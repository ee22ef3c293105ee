/** `branchline restore`: what an operator does after the database was restored to a moment (docs/restore.md). */
import { createReadStream } from 'node:fs';
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { Argument, Command, Option } from 'commander';
import { BranchlineError } from '../common/branchline-error';
import type { Restore, Selection } from '../service/restore/restore';
import type { Decision, FenceStatus } from '../store/restore';
import { type DatabaseFlags, databaseOf } from './database';
import { reportLines } from './restore-report';

/** Runs are left that nobody has decided on. */
const UNDECIDED = 2;
/** Some process has not said yet that it stands still. */
const NOT_STILL = 3;
const STILL_PATIENCE_MS = 15_000;
const STILL_LOOK_MS = 200;

interface CheckFlags extends DatabaseFlags {
  journal?: string[];
  output: 'json' | 'text';
}
interface DecideFlags extends DatabaseFlags {
  type?: string;
  all?: boolean;
  by: string;
}
interface ReleaseFlags extends DatabaseFlags {
  rest?: Decision;
  by: string;
}
interface FenceFlags extends DatabaseFlags {
  reason: string;
  restoredTo?: string;
}

const DECISIONS: Record<Decision, string> = {
  resume: 'Let runs go on when the fence goes down (held ones: at once)',
  hold: 'Leave runs as they are when the fence goes down, until they are resumed or cancelled',
  cancel: 'Request the cancellation of runs when the fence goes down (of held ones: at once)',
};

const print = (line: string): void => void process.stdout.write(`${line}\n`);

export function restoreCommand(): Command {
  const command = new Command('restore').description(
    'Decide what becomes of workflows after the database was restored',
  );
  command.addCommand(
    database(new Command('check'))
      .description(
        `Runs in flight, and activities that may have had effects. Ends with ${UNDECIDED} while runs are undecided`,
      )
      .option('--journal <files...>', "workers' effects journals")
      .addOption(new Option('--output <format>', 'how it is written').choices(['text', 'json']).default('text'))
      .action(check),
  );
  for (const decision of Object.keys(DECISIONS) as Decision[]) {
    command.addCommand(
      signed(database(new Command(decision)))
        .description(DECISIONS[decision])
        .argument('[id]', 'workflow id or run id')
        .option('--type <name>', 'all runs of that workflow type')
        .option('--all', 'all runs')
        .action((id: string | undefined, flags: DecideFlags) => decide(decision, id, flags)),
    );
  }
  return command
    .addCommand(
      signed(database(new Command('release')))
        .description(
          `Take the fence down: work is given out again. Ends with ${UNDECIDED}, and does nothing, while runs are undecided`,
        )
        .addOption(
          new Option('--rest <decision>', 'for runs that nobody has decided on').choices(Object.keys(DECISIONS)),
        )
        .action(release),
    )
    .addCommand(
      database(new Command('fence'))
        .description(
          `Raise the fence by hand, and wait until all processes stand still (ends with ${NOT_STILL} if they do not)`,
        )
        .option('--reason <text>', 'why', 'raised by hand')
        .option('--restored-to <time>', 'the moment of a restore (ISO 8601 with zone), if Postgres cannot tell it')
        .action(raise),
    )
    .addCommand(
      database(new Command('on-new-timeline'))
        .description(
          'What a new timeline of Postgres means: a restore (fence), or the failover to a standby (continue)',
        )
        .addArgument(new Argument('<meaning>').choices(['fence', 'continue']))
        .action((meaning: FenceStatus['onNewTimeline'], flags: DatabaseFlags) =>
          withRestore(flags, async (restore) => {
            await restore.setOnNewTimeline(meaning);
            print(`A new timeline of Postgres means: ${meaning}`);
          }),
        ),
    );
}

const database = (command: Command): Command =>
  command
    .option('--db <url>', 'postgres:// URL (else BRANCHLINE_URL, DATABASE_URL, PGHOST …)')
    .option('--schema <name>', "schema of Branchline's tables (else branchline)");

const signed = (command: Command): Command =>
  command.addOption(new Option('--by <name>', 'who decides').default(userInfo().username));

/** On a plain connection: to connect as an engine would be to begin working. */
async function withRestore(flags: DatabaseFlags, work: (restore: Restore) => Promise<void>): Promise<void> {
  const { RestoreDatabase } = await import('../store/restore.js');
  const { Restore } = await import('../service/restore/restore.js');
  const { url, schema } = databaseOf(flags);
  const opened = await RestoreDatabase.open(url, schema);
  try {
    await work(new Restore(opened));
  } finally {
    await opened.close();
  }
}

async function* linesOf(files: string[]): AsyncGenerator<string> {
  for (const file of files) {
    const input = createReadStream(file);
    try {
      yield* createInterface({ input, crlfDelay: Infinity });
    } catch (error) {
      throw new BranchlineError('BRANCHLINE_OPTION', `Cannot read the journal ${file}: ${(error as Error).message}`);
    }
  }
}

function check({ journal, output, ...flags }: CheckFlags): Promise<void> {
  return withRestore(flags, async (restore) => {
    const report = await restore.check(journal === undefined ? null : linesOf(journal));
    if (output === 'json') print(JSON.stringify(report, null, 2));
    else for (const line of reportLines(report)) print(line);
    if (report.undecided > 0) process.exitCode = UNDECIDED;
  });
}

function decide(decision: Decision, id: string | undefined, { type, all, by, ...flags }: DecideFlags): Promise<void> {
  const given = [id, type, all].filter((value) => value !== undefined).length;
  if (given !== 1) {
    throw new BranchlineError(
      'BRANCHLINE_OPTION',
      `Say which runs: one of <id>, --type <name> and --all, not ${given}`,
    );
  }
  const selection: Selection = all === true ? 'all' : type !== undefined ? { type } : { id: id! };
  return withRestore(flags, async (restore) => {
    const count = await restore.decide(decision, selection, by);
    print(`${decision}: ${count} ${count === 1 ? 'run' : 'runs'}`);
  });
}

function release({ rest, by, ...flags }: ReleaseFlags): Promise<void> {
  return withRestore(flags, async (restore) => {
    const { released, undecided } = await restore.release(rest ?? null, by);
    if (released) {
      const { held } = await restore.status();
      return print(
        `The fence is down. ${held === 0 ? 'No runs are' : `${held} ${held === 1 ? 'run is' : 'runs are'}`} held.`,
      );
    }
    process.stderr.write(
      `Nothing was done: nobody has decided on ${undecided} ${undecided === 1 ? 'run' : 'runs'} ('branchline restore check' lists them). ` +
        'Decide on them, or say what becomes of them with --rest resume, --rest hold or --rest cancel.\n',
    );
    process.exitCode = UNDECIDED;
  });
}

function raise({ reason, restoredTo, ...flags }: FenceFlags): Promise<void> {
  if (restoredTo !== undefined && Number.isNaN(Date.parse(restoredTo))) {
    throw new BranchlineError(
      'BRANCHLINE_OPTION',
      `--restored-to ${restoredTo} is no time such as 2026-01-31T12:00:00Z`,
    );
  }
  return withRestore(flags, async (restore) => {
    const raised = await restore.raise(reason, restoredTo ?? null);
    print(raised ? 'The fence is up.' : 'The fence was up already.');
    for (const until = performance.now() + STILL_PATIENCE_MS; ;) {
      const { processes, atFence } = await restore.status();
      if (atFence === processes || performance.now() > until) {
        print(`Processes alive: ${processes}. They stand still: ${atFence}.`);
        if (atFence < processes) process.exitCode = NOT_STILL;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, STILL_LOOK_MS));
    }
  });
}

/** `branchline codemod` and `branchline check`: imports and set-up moved, and what was left for a person. */
import { Command, Option } from 'commander';
import { loadCodemod, progress } from './load-codemod';

interface CodemodFlags {
  all?: boolean;
  workflows?: string;
  fromAssessment?: string;
  reverse?: boolean;
  dryRun?: boolean;
  check?: boolean;
  allowDirty?: boolean;
  json?: boolean;
  verbose?: boolean;
}

/** "Would change", "something is left": other than 0 (in order) and 1 (it failed). */
const EXIT_FOUND = 2;

export function codemodCommand(): Command {
  return new Command('codemod')
    .description("Move a repository from Temporal's packages to Branchline's, or back")
    .argument('[path]', 'folder: a package, or a repository with several', '.')
    .addOption(new Option('--all', 'move everything: imports, connections, dependencies').conflicts('reverse'))
    .addOption(
      new Option(
        '--workflows <types>',
        'keep Temporal, and start these types (with commas between, and those tied to them) on Postgres',
      ).conflicts(['all', 'reverse']),
    )
    .addOption(
      new Option(
        '--from-assessment <file>',
        'the same for the types that `assess --output json` says to move',
      ).conflicts(['all', 'reverse', 'workflows']),
    )
    .option('--reverse', "move everything back to Temporal's packages")
    .option('--dry-run', 'print the changes as a unified diff, touch nothing')
    .option('--check', 'touch nothing; exit code 2 when something would change')
    .option('--allow-dirty', 'go on although git has changes that are not committed')
    .option('--json', 'report as JSON')
    .option('-v, --verbose', 'list the files with nothing to do too')
    .addHelpText(
      'after',
      '\nExamples:\n  branchline codemod --all --dry-run > move.patch\n  branchline codemod --workflows signup,billing',
    )
    .action(codemod);
}

async function codemod(path: string, flags: CodemodFlags): Promise<void> {
  const { CodemodError, codemodText, runCodemod, typesOfAssessment } = await loadCodemod();
  const workflows =
    flags.fromAssessment === undefined
      ? flags.workflows?.split(',').flatMap((type) => type.trim() || [])
      : typesOfAssessment(flags.fromAssessment);
  if (flags.all !== true && flags.reverse !== true && workflows === undefined) {
    throw new CodemodError(
      'BRANCHLINE_CODEMOD_MODE',
      'Say what to move: --all, --workflows a,b or --from-assessment file; or --reverse to go back.',
    );
  }
  const write = flags.dryRun !== true && flags.check !== true;
  const report = await runCodemod({
    root: path,
    direction: flags.reverse === true ? 'reverse' : 'forward',
    ...(workflows === undefined ? {} : { workflows }),
    write,
    allowDirty: flags.allowDirty === true,
    onProgress: progress(),
  });
  const { diff, ...facts } = report;
  if (flags.json === true)
    process.stdout.write(`${JSON.stringify({ ...facts, ...(write ? {} : { diff }) }, null, 2)}\n`);
  else {
    if (flags.dryRun === true) process.stdout.write(diff);
    const text = codemodText(report, flags.verbose === true);
    // The diff alone goes to stdout, so that it can be piped into git.
    (flags.dryRun === true ? process.stderr : process.stdout).write(text);
  }
  if (report.totals.failed > 0) process.exitCode = 1;
  else if (flags.check === true && diff !== '') process.exitCode = EXIT_FOUND;
}

export function checkCommand(): Command {
  return new Command('check')
    .description('List what the codemod left for a person')
    .argument('[path]', 'folder', '.')
    .option('--json', 'report as JSON')
    .action(async (path: string, flags: { json?: boolean }) => {
      const { checkResidue, checkText } = await loadCodemod();
      const report = checkResidue(path);
      process.stdout.write(flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : checkText(report));
      if (report.failed.length > 0) process.exitCode = 1;
      else if (report.residue.length > 0) process.exitCode = EXIT_FOUND;
    });
}

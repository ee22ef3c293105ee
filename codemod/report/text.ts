/** Reports as people read them. */
import type { CheckReport } from '../check';
import type { CodemodReport, FileReport } from '../file-report';

/** What to do about each kind of marker. */
const ADVICE: Record<string, string> = {
  'connection-options': 'give the connection a Postgres URL (`url`), or nothing and set DATABASE_URL',
  'deep-import': 'import from the package itself',
  'no-counterpart': 'keep this part on Temporal, or do without the package',
  'only-branchline': 'this exists in Branchline only: remove it',
  'other-language': 'change the import by hand',
  'routed-client': 'new Client({ connection: await RoutedConnection.connect(…) })',
  'routed-connection': 'see docs/router.md',
  'routed-import': 'import it by hand, then run the codemod again',
  'routed-worker': 'see docs/router.md',
  'third-party':
    'give it a connection of Branchline, if it takes one; else do without it, or keep its part on Temporal',
  'too-large': 'generate the file again',
  'unknown-use': 'if it decides which module is loaded, write the branchline name',
  'unsupported-api': 'see compatibility.json; keep the workflow on Temporal, or do without',
  'unsupported-option': 'see compatibility.json; remove the option',
};

export function codemodText(report: CodemodReport, verbose: boolean): string {
  const lines: string[] = [];
  const shown = report.files.filter((file) => verbose || file.status !== 'nothing' || file.notes.length > 0);
  for (const file of shown) lines.push(...fileLines(file));
  const { files, changed, person, failed, nothing, leftovers } = report.totals;
  if (lines.length > 0) lines.push('');
  const words = report.written ? 'changed' : 'would change';
  lines.push(
    `${files} files: ${changed} ${words}, ${person} need a person, ${failed} failed, ${nothing} with nothing to do.`,
  );
  if (leftovers > 0) {
    lines.push(
      `${leftovers} ${leftovers === 1 ? 'place is' : 'places are'} marked @branchline-todo: \`branchline check\` lists them.`,
    );
  }
  if (report.install !== undefined)
    lines.push(
      `Dependencies ${report.written ? 'changed' : 'would change'}: run \`${report.install}\` to bring the lock file along.`,
    );
  if (report.noPackage === true)
    lines.push(
      report.direction === 'forward'
        ? 'There is no package.json here: where this code is installed, run `npm install branchline`.'
        : "There is no package.json here: see that Temporal's packages are installed where this code runs.",
    );
  return `${lines.join('\n')}\n`;
}

const LABEL: Record<FileReport['status'], string> = {
  changed: 'changed',
  nothing: 'nothing to do',
  person: 'needs a person',
  failed: 'failed',
};

function fileLines({ path, status, reason, changed, leftovers, notes }: FileReport): string[] {
  const label = status === 'person' && changed ? 'changed, needs a person' : LABEL[status];
  return [
    `${path}: ${label}: ${reason}`,
    ...leftovers.map(
      ({ line, code, reason: why }) =>
        `  ${path}:${line} [${code}] ${why}${ADVICE[code] === undefined ? '' : ` → ${ADVICE[code]}`}`,
    ),
    ...notes.map(({ line, reason: why }) => `  ${path}:${line} note: ${why}`),
  ];
}

export function checkText({ residue, failed }: CheckReport): string {
  const lines = [
    ...residue.map(({ path, line, code, reason }) => `${path}:${line} [${code}] ${reason}`),
    ...failed.map(({ path, reason }) => `${path}: failed: ${reason}`),
  ];
  lines.push(
    residue.length === 0
      ? 'No @branchline-todo is left.'
      : `${residue.length} @branchline-todo left. Handled one: remove the line; accepted: write @branchline-ignore.`,
  );
  return `${lines.join('\n')}\n`;
}

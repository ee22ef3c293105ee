/**
 * `npm run compat`: runs the judges that this machine has, and prints what they say in one table. `-- --write` puts the table into
 * docs/compatibility.md as well, `-- --table` only prints what earlier runs left.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTemporalCli } from '../temporal-cli';
import { writeSection } from './section';
import { markdown, rows } from './table';

const root = join(__dirname, '../..');
const page = join(root, 'docs/compatibility.md');

/** The quick one first. Each leaves its figures in compat-tests/out. */
const judges = [
  ['npx', 'vitest', 'run', 'test/types/api.test.ts'],
  ['npm', 'run', 'compat:scenarios'],
  ['npm', 'run', 'compat:gateway'],
  ['npm', 'run', 'compat:ui'],
  ['npm', 'run', 'compat:sdk-versions'],
  ...(process.env.TEMPORAL_SDK_CHECKOUT ? [['npm', 'run', 'compat:sdk']] : []),
];

function versions(): string {
  const { version: sdk } = JSON.parse(
    readFileSync(join(root, 'node_modules/@temporalio/client/package.json'), 'utf8'),
  ) as { version: string };
  const cli = findTemporalCli();
  const temporal = cli === undefined ? '' : spawnSync(cli, ['--version'], { encoding: 'utf8' }).stdout.trim();
  return `Node ${process.version}; SDK ${sdk}; ${temporal || 'no Temporal CLI here'}.`;
}

function main(): void {
  const failed = process.argv.includes('--table')
    ? []
    : judges.filter(([command, ...args]) => {
        const { status } = spawnSync('npx', [command!, ...args], {
          cwd: root,
          stdio: ['ignore', 'inherit', 'inherit'],
        });
        return status !== 0;
      });
  const table = markdown(rows(), versions());
  console.log(`\n${table}`);
  if (process.argv.includes('--write')) writeSection(page, 'compat: written by npm run compat', table);
  for (const judge of failed) console.error(`failed: ${judge.join(' ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

main();

/**
 * The codemod on all of a temporalio/samples-typescript checkout: `tsx compat-tests/samples/codemod.ts <checkout> <scratch folder> [--write]`.
 * Types are checked before and after `codemod --all`: what is new is a fault of the codemod's (or of the drop-ins'). Then `--reverse` must give back every
 * byte. `--write` puts the outcome into docs/compatibility.md. The scratch folder keeps its installation for the next time; the moved samples stay in
 * `<scratch>/moved`, for those who run them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkResidue, runCodemod } from 'branchline/codemod';
import { writeSection } from '../report/section';

const root = path.resolve(__dirname, '../..');

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  scripts?: Record<string, string>;
}
const readManifest = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8')) as Manifest;

/** Folders with a file of that name, relative; without what is installed. */
function foldersWith(folder: string, name: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === name && !file.includes('node_modules'))
    .map((file) => path.dirname(file))
    .sort();
}

function wantedRange(name: string, range: string): string {
  // Later ones hide the types of mocha and jest.
  if (name === '@tsconfig/node22') return '22.0.0';
  // Temporal's packages go by one version, and a registry may not have each that a sample is pinned to.
  return name.startsWith('@temporalio/') ? range.replace(/^(?=\d)/, '^') : range.replace(/^workspace:/, '');
}

/** Everything that the samples ask for, once, in a folder above them; what only looks at their style is left out. */
function install(samples: string, scratch: string): void {
  const workspaces = foldersWith(samples, 'package.json').filter((folder) => folder !== '.');
  for (const folder of workspaces) {
    const { scripts: _scripts, ...manifest } = readManifest(path.join(samples, folder, 'package.json'));
    const wanted = (all: Record<string, string> = {}): Record<string, string> =>
      Object.fromEntries(
        Object.entries(all)
          .filter(([name]) => !/eslint|prettier|nodemon/.test(name))
          .map(([name, range]) => [name, wantedRange(name, range)]),
      );
    mkdirSync(path.join(scratch, folder), { recursive: true });
    writeFileSync(
      path.join(scratch, folder, 'package.json'),
      JSON.stringify({
        ...manifest,
        dependencies: wanted(manifest.dependencies),
        devDependencies: wanted(manifest.devDependencies),
      }),
    );
  }
  const own = readManifest(path.join(root, 'package.json'));
  const ours = Object.entries({ ...own.dependencies, ...own.devDependencies });
  writeFileSync(
    path.join(scratch, 'package.json'),
    JSON.stringify({
      private: true,
      workspaces,
      dependencies: { typescript: '^5.6.3' },
      // One copy of Temporal's packages, that which Branchline is built with.
      overrides: Object.fromEntries(ours.filter(([name]) => name.startsWith('@temporalio/'))),
    }),
  );
  run(scratch, 'npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps']);
}

function run(folder: string, command: string, args: string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** The package as it is published, in place of a registry's. */
function unpackBranchline(scratch: string): void {
  run(root, 'npm', ['pack', '--silent', '--pack-destination', scratch]);
  const tarball = readdirSync(scratch).find((file) => /^branchline-.*\.tgz$/.test(file))!;
  const target = path.join(scratch, 'node_modules/branchline');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  run(scratch, 'tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  rmSync(path.join(scratch, tarball));
  // What it brings along in other versions than the samples, or that no sample has: exactly what it is built with.
  const listed = spawnSync('npm', ['ls', '--omit=dev', '--omit=optional', '--all', '--parseable'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const from of listed.stdout.split('\n').filter((line) => line.includes('node_modules'))) {
    const name = path.relative(path.join(root, 'node_modules'), from);
    if (name.startsWith('@temporalio')) continue;
    const versionAt = (folder: string): unknown => {
      const file = path.join(folder, 'package.json');
      return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }).version : undefined;
    };
    if (versionAt(from) === versionAt(path.join(scratch, 'node_modules', name))) continue;
    cpSync(from, path.join(target, 'node_modules', name), {
      recursive: true,
      filter: (file) => file === from || !path.relative(from, file).startsWith('node_modules'),
    });
  }
}

/** Folder → messages, without the places in lines: lines move. */
function typeErrors(samples: string, scratch: string): Map<string, string[]> {
  const errors = new Map<string, string[]>();
  for (const folder of foldersWith(samples, 'tsconfig.json')) {
    const from = path.join(samples, folder);
    // Workspaces whose versions differ have their own beside them.
    const own = path.join(scratch, folder, 'node_modules');
    if (existsSync(own) && !existsSync(path.join(from, 'node_modules'))) run(from, 'ln', ['-s', own, 'node_modules']);
    const { stdout } = spawnSync(
      process.execPath,
      [path.join(scratch, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', '.'],
      {
        cwd: from,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      },
    );
    errors.set(
      folder,
      stdout.split('\n').filter((line) => /error TS\d+/.test(line)),
    );
  }
  return errors;
}

const withoutPlace = (line: string): string =>
  line.replace(/\(\d+,\d+\)/, '').replaceAll('branchline/', '@temporalio/');

function hashes(folder: string): Map<string, string> {
  const files = run(folder, 'git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'])
    .split('\0')
    .filter((file) => file !== '');
  return new Map(
    files.map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(path.join(folder, file)))
        .digest('hex'),
    ]),
  );
}

function copyOf(checkout: string, target: string): void {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  execFileSync('sh', ['-c', 'git -C "$0" archive HEAD | tar -x -C "$1"', checkout, target]);
  writeFileSync(path.join(target, '.git-exclude'), 'node_modules\n.git-exclude\n');
  run(target, 'git', ['init', '-q']);
  run(target, 'git', ['config', 'core.excludesFile', '.git-exclude']);
  run(target, 'git', ['add', '-A']);
  run(target, 'git', ['-c', 'user.name=codemod', '-c', 'user.email=codemod@localhost', 'commit', '-qm', 'before']);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { write: { type: 'boolean' } }, allowPositionals: true });
  const [checkout, scratchFolder] = positionals;
  if (checkout === undefined || scratchFolder === undefined) {
    throw new Error('usage: tsx compat-tests/samples/codemod.ts <checkout> <scratch folder> [--write]');
  }
  const scratch = path.resolve(scratchFolder);
  const moved = path.join(scratch, 'moved');
  copyOf(checkout, moved);
  if (!existsSync(path.join(scratch, 'node_modules'))) install(moved, scratch);
  unpackBranchline(scratch);

  const bytes = hashes(moved);
  const before = typeErrors(moved, scratch);
  const report = await runCodemod({ root: moved, direction: 'forward', write: true });
  const after = typeErrors(moved, scratch);
  const again = await runCodemod({ root: moved, direction: 'forward', write: true, allowDirty: true });
  const residue = checkResidue(moved).residue;

  const fresh = [...after].flatMap(([folder, lines]) => {
    const known = new Set((before.get(folder) ?? []).map(withoutPlace));
    return lines.filter((line) => !known.has(withoutPlace(line))).map((line) => `${folder}: ${line}`);
  });
  const back = path.join(scratch, 'back');
  rmSync(back, { recursive: true, force: true });
  cpSync(moved, back, { recursive: true, verbatimSymlinks: true });
  await runCodemod({ root: back, direction: 'reverse', write: true, allowDirty: true });
  const restored = hashes(back);
  const different = [...new Set([...bytes.keys(), ...restored.keys()])].filter(
    (file) => bytes.get(file) !== restored.get(file),
  );

  const failing = [...before.values()].filter((lines) => lines.length > 0).length;
  const { files, changed, person, failed } = report.totals;
  const lines = [
    `${files} files looked at: ${changed} changed, ${person} changed or not with ${residue.length} places left for a person, ${failed} failed.`,
    `A second run changes ${again.diff === '' ? 'nothing' : 'something'}; --reverse gives back ${different.length === 0 ? 'every byte' : `other bytes in ${different.length} files`}.`,
    `Types checked in ${before.size} folders (${failing} with errors of their own before): ${fresh.length} new errors after.`,
  ];
  console.log([...lines, ...fresh, ...different].join('\n'));
  if (values.write)
    writeSection(
      path.join(root, 'docs/compatibility.md'),
      'codemod on the samples: written by compat-tests/samples/codemod.ts',
      lines.join('\n'),
    );
  process.exitCode = fresh.length + different.length + failed > 0 || again.diff !== '' ? 1 : 0;
}

void main();

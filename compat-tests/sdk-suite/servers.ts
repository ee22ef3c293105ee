/** What stands behind a way: one Postgres for all files with a database for each, and a server on localhost:7233 for those that want one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import { Client } from 'pg';
import { startPostgres, type RunningPostgres } from '../../shim/testing/embedded-postgres';
import { hold, letGo } from '../../shim/client/process-hold';
import { openService } from '../../shim/service';
import { prepareNamespace, suiteSearchAttributes } from '../core-bridge/namespace';
import { findTemporalCli } from '../temporal-cli';
import type { Way } from './files';

const defaultPort = 7233;
const branchlineDevServer = path.join(__dirname, 'dev-server.cjs');

/** The dynamic configuration with which the SDK's own CI starts its server. */
const dynamicConfig = [
  'system.enableActivityEagerExecution=true',
  'history.enableRequestIdRefLinks=true',
  'frontend.activityAPIsEnabled=true',
  'activity.enableStandalone=true',
  'history.enableChasm=true',
  'history.enableTransitionHistory=true',
].flatMap((value) => ['--dynamic-config-value', value]);

/** The program that takes `server start-dev`; undefined for the ways that start none. */
export function devServer(way: Way): string | undefined {
  if (way === 'gateway') return branchlineDevServer;
  if (way !== 'real') return undefined;
  const cli = findTemporalCli();
  if (cli === undefined) throw new Error("The way 'real' needs Temporal's CLI (see compat-tests/temporal-cli.ts).");
  return cli;
}

/** The databases of the files, on one Postgres. */
export class Databases {
  private constructor(private readonly postgres: RunningPostgres) {}

  static async start(): Promise<Databases> {
    return new this(await startPostgres({ settings: { fsync: 'off', max_connections: '300' } }));
  }

  /** Runs `use` with the URL of a database that exists for it alone. */
  async with<R>(use: (url: string) => Promise<R>): Promise<R> {
    const name = `suite_${process.pid}_${Date.now()}`;
    await this.sql(`CREATE DATABASE ${name}`);
    try {
      const url = new URL(this.postgres.url);
      url.pathname = `/${name}`;
      return await use(url.href);
    } finally {
      await this.sql(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  }

  stop(): Promise<void> {
    return this.postgres.stop();
  }

  private async sql(text: string): Promise<void> {
    const client = new Client({ connectionString: this.postgres.url });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }
}

/** Runs `use` while the program listens on localhost:7233. */
export async function withDefaultServer<R>(program: string, env: NodeJS.ProcessEnv, use: () => Promise<R>): Promise<R> {
  const args = [
    'server',
    'start-dev',
    '--headless',
    '--port',
    String(defaultPort),
    ...dynamicConfig,
    ...suiteSearchAttributes,
  ];
  const child = spawn(program, args, { env, stdio: 'ignore' });
  try {
    await listening(child);
    return await use();
  } finally {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

/** What the drop-ins find where Temporal's packages find localhost:7233: the default schema of the database. */
export async function prepareDefaultSchema(url: string): Promise<void> {
  hold();
  try {
    const service = await openService({ url });
    await prepareNamespace(service, 'default', suiteSearchAttributes).finally(() => service.close());
  } finally {
    letGo();
  }
}

async function listening(child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(defaultPort, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await sleep(200);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`The server for localhost:${defaultPort} ended with ${child.exitCode}`);
}

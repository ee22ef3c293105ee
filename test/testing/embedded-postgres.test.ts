import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { startPostgres } from '../../shim/testing/embedded-postgres';
import { findPostgresBinaries, prepareNative } from '../../shim/testing/postgres-binaries';
import { afterTest } from '../support/database';

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

const isRoot = process.getuid?.() === 0;
const root = path.resolve(__dirname, '../..');

describe('an embedded Postgres', () => {
  it('keeps its data over kills, at the same address, and leaves nothing when stopped', async () => {
    const postgres = await startPostgres({ useEnvironment: false, settings: { work_mem: '7MB' } });
    afterTest(() => postgres.stop());
    expect(await query(postgres.url, 'SHOW work_mem')).toEqual([{ work_mem: '7MB' }]);
    await query(postgres.url, 'CREATE TABLE kept AS SELECT 1 AS a');
    await postgres.kill();
    expect(postgres.pid).toBe(0);
    await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow();
    await postgres.start();
    expect(await query(postgres.url, 'SELECT * FROM kept')).toEqual([{ a: 1 }]);
    await postgres.stop();
    expect(existsSync(postgres.dataDir)).toBe(false);
  });

  it('with a data folder of its own goes on where it was', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'branchline-test-'));
    chmodSync(folder, 0o755);
    afterTest(async () => rmSync(folder, { recursive: true, force: true }));
    const dataDir = path.join(folder, 'data');
    const first = await startPostgres({ dataDir });
    await query(first.url, 'CREATE TABLE kept AS SELECT 2 AS a');
    await first.stop();
    const second = await startPostgres({ dataDir });
    afterTest(() => second.stop());
    expect(await query(second.url, 'SELECT * FROM kept')).toEqual([{ a: 2 }]);
  });

  it('asks for a password and listens on loopback only', async () => {
    const postgres = await startPostgres({ useEnvironment: false });
    afterTest(() => postgres.stop());
    const open = new URL(postgres.url);
    open.password = 'guess';
    await expect(query(open.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    expect(await query(postgres.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  });

  it('tells what Postgres says when it does not start', async () => {
    await expect(startPostgres({ useEnvironment: false, settings: { no_such_setting: '1' } })).rejects.toThrow(
      /did not start.*no_such_setting/s,
    );
  });

  it.skipIf(!isRoot)('runs for an ordinary user as well', async () => {
    const script = `
      require('./shim/testing/embedded-postgres').startPostgres({ useEnvironment: false })
        .then(async (postgres) => { await postgres.stop(); console.log('stopped'); });`;
    const child = spawn(process.execPath, ['--require', 'tsx/cjs', '--eval', script], {
      cwd: root,
      uid: 65534,
      gid: 65534,
      env: { PATH: process.env.PATH, TSX_DISABLE_CACHE: '1', HOME: tmpdir() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    expect(output).toContain('stopped');
  });
});

describe('binaries', () => {
  const found = findPostgresBinaries(isRoot);
  it.skipIf(found?.origin !== 'embedded')('run though no install script has made their links', () => {
    const copy = mkdtempSync(path.join(tmpdir(), 'branchline-test-'));
    afterTest(async () => rmSync(copy, { recursive: true, force: true }));
    const native = path.join(copy, 'native');
    cpSync(path.resolve(path.dirname(found!.postgres), '..'), native, { recursive: true, verbatimSymlinks: true });
    const lib = path.join(native, 'lib');
    const links = readdirSync(lib).filter((name) => lstatSync(path.join(lib, name)).isSymbolicLink());
    expect(links).not.toEqual([]);
    links.forEach((name) => unlinkSync(path.join(lib, name)));
    chmodSync(path.join(native, 'bin', 'postgres'), 0o644);

    expect(prepareNative(native, false)).toBe(native);
    const run = spawnSync(path.join(native, 'bin', 'postgres'), ['--version'], { encoding: 'utf8' });
    expect(run.stdout).toMatch(/^postgres \(PostgreSQL\) \d+/);
  });

  it.skipIf(found?.origin !== 'embedded')('are copied when the server runs as somebody who may not read them', () => {
    const copy = mkdtempSync(path.join(tmpdir(), 'branchline-test-'));
    afterTest(async () => rmSync(copy, { recursive: true, force: true }));
    const native = path.join(copy, 'native');
    cpSync(path.resolve(path.dirname(found!.postgres), '..'), native, { recursive: true, verbatimSymlinks: true });
    const usable = prepareNative(native, true);
    afterTest(async () => rmSync(path.dirname(usable), { recursive: true, force: true }));
    expect(usable).not.toBe(native);
    expect(existsSync(path.join(usable, 'bin', 'postgres'))).toBe(true);
  });
});
